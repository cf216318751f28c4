/**
 * @file
 * Version of the library, how its symbols are exported, and how it calls and is called.
 *
 * The Makefile reads the version from the three macros below, so this is the only place that says it.
 */
#ifndef CREDIT_VERSION_H
#define CREDIT_VERSION_H

#include <stdint.h>

#define CRD_VERSION_MAJOR 0 /**< changes when a program compiled earlier may no longer run */
#define CRD_VERSION_MINOR 1 /**< changes when something was added */
#define CRD_VERSION_PATCH 0 /**< changes when something was mended */

/** The version the program was compiled with, as one number: 10000 × major + 100 × minor + patch. */
#define CRD_VERSION (CRD_VERSION_MAJOR * 10000 + CRD_VERSION_MINOR * 100 + CRD_VERSION_PATCH)

/** Marks what the library exports. Define CRD_STATIC when linking the static library on Windows; where the library is
 *  compiled with it, nothing is exported. */
#if defined(CRD_STATIC)
#define CRD_API
#elif defined(_WIN32)
#if defined(CRD_BUILD)
#define CRD_API __declspec(dllexport)
#else
#define CRD_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define CRD_API __attribute__((visibility("default")))
#else
#define CRD_API
#endif

/** The calling convention of every public function and of every callback. */
#if defined(_WIN32) && !defined(_WIN64) && (defined(_MSC_VER) || defined(__GNUC__))
#define CRD_CALL __cdecl
#else
#define CRD_CALL
#endif

#ifdef __cplusplus
#define CRD_BEGIN extern "C" {
#define CRD_END }
#else
#define CRD_BEGIN
#define CRD_END
#endif

CRD_BEGIN

/**
 * The version of the library that runs, as one number like #CRD_VERSION.
 * A program may compare the two; a greater running version is always compatible within one major number.
 */
CRD_API int32_t CRD_CALL crd_version(void);

/** The running version as text, such as "0.1.0". Static storage; never NULL. */
CRD_API const char *CRD_CALL crd_version_text(void);

CRD_END
#endif
