/*
 * nccl_library.c - opens NCCL.
 */
#include "exchange/nccl_library.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/library.h"

#ifndef FR_NCCL_FILE /* the one that was there when this was built */
#define FR_NCCL_FILE NULL
#endif

fr_nccl_functions fr_nccl;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static fr_status opened;
static fr_error why;
static char file[200];

static void open_nccl(void) {
    static const fr_library library = {"NCCL", "FITRELU_NCCL", {"libnccl.so.2", FR_NCCL_FILE}};
    const fr_symbol symbols[] = {
#define FR_SYMBOL(name) {"nccl" #name, &fr_nccl.name},
        FR_NCCL_FUNCTIONS(FR_SYMBOL)
#undef FR_SYMBOL
    };
    /* Exchanges are enqueued on one stream a communicator, and one that is not recorded is over before a step is replayed:
     * what NCCL does to allow more costs time at each replay, and has been seen to hang. */
    setenv("NCCL_GRAPH_MIXING_SUPPORT", "0", 0);
    opened = fr_library_open(&library, symbols, (int)(sizeof symbols / sizeof *symbols), file, sizeof file, &why);
}

fr_status fr_nccl_open(fr_error *error) {
    pthread_once(&once, open_nccl);
    if (opened != FR_OK && error) *error = why;
    return opened;
}

const char *fr_nccl_file(void) { return file; }
