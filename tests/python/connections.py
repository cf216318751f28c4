"""Connections of a host's own, by the C interfaces of SQLite and PostgreSQL."""
import ctypes
import ctypes.util
import os


class SQLite:
    """A connection of a host's own, by SQLite's C interface."""

    def __init__(self, path):
        self.library = ctypes.CDLL(ctypes.util.find_library("sqlite3") or "libsqlite3.so.0")
        handle = ctypes.c_void_p()
        assert self.library.sqlite3_open(os.fsencode(path), ctypes.byref(handle)) == 0
        self.handle = handle.value

    def do(self, sql):
        assert self.library.sqlite3_exec(ctypes.c_void_p(self.handle), sql.encode(), None, None, None) == 0

    def close(self):
        self.library.sqlite3_close(ctypes.c_void_p(self.handle))


class Postgres:
    """The same by libpq's."""

    def __init__(self, conninfo):
        self.library = ctypes.CDLL("libpq.so.5")
        self.library.PQconnectdb.restype = self.library.PQexec.restype = ctypes.c_void_p
        self.handle = self.library.PQconnectdb(conninfo.encode())

    def do(self, sql):
        result = ctypes.c_void_p(self.library.PQexec(ctypes.c_void_p(self.handle), sql.encode()))
        assert self.library.PQresultStatus(result) == 1, sql
        self.library.PQclear(result)

    def drop(self, schema):
        self.do(f'SET client_min_messages = error; DROP SCHEMA IF EXISTS "{schema}" CASCADE')

    def close(self):
        self.library.PQfinish(ctypes.c_void_p(self.handle))
