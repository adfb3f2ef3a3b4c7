/*
 * cublas.c - opens cuBLAS.
 */
#include "engine/cuda/cublas.h"

#include <pthread.h>
#include <stdio.h>

#include "base/library.h"
#include "engine/cuda/cuda.h"

#ifndef FR_CUBLAS_FILE /* the one that was there when this was built */
#define FR_CUBLAS_FILE NULL
#endif

fr_cublas_functions fr_cublas;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static fr_status opened;
static fr_error why;
static char file[200];

static void open_cublas(void) {
    static const fr_library library = {
        "cuBLAS", "FITRELU_CUBLAS", {"libcublas.so.13", "libcublas.so.12", FR_CUBLAS_FILE}};
    const fr_symbol symbols[] = {
#define FR_SYMBOL(name) {"cublas" #name, &fr_cublas.name},
        FR_CUBLAS_FUNCTIONS(FR_SYMBOL)
#undef FR_SYMBOL
    };
    opened = fr_library_open(&library, symbols, (int)(sizeof symbols / sizeof *symbols), file, sizeof file, &why);
}

fr_status fr_cublas_open(fr_error *error) {
    pthread_once(&once, open_cublas);
    if (opened != FR_OK && error) *error = why;
    return opened;
}

void fr_cublas_describe(char *text, size_t size) {
    int major = 0, minor = 0, patch = 0;
    fr_error error = {0};
    if (fr_cublas_open(&error) != FR_OK) snprintf(text, size, "none (%s)", error.message);
    else if (fr_cublas.GetProperty(MAJOR_VERSION, &major) || fr_cublas.GetProperty(MINOR_VERSION, &minor) ||
             fr_cublas.GetProperty(PATCH_LEVEL, &patch))
        snprintf(text, size, "of an unknown version (%s)", file);
    else snprintf(text, size, "%d.%d.%d (%s)", major, minor, patch, file);
}
