#!/bin/sh
exec sh tests/requirements.sh # each promise due has a test, and no test carries an unknown id
