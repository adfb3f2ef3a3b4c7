/*
 * arrow_abi.h - the structures of Arrow's C data interface and C stream interface, as its specification gives them
 * (https://arrow.apache.org/docs/format/CDataInterface.html): an ABI, for which no library of Arrow's is needed.
 */
#ifndef FITRELU_ARROW_ABI_H
#define FITRELU_ARROW_ABI_H

#include <stdint.h>

struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *); /* NULL once released */
    void *private_data;
};

struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children; /* null_count -1: not counted */
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out); /* 0, or an errno */
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);    /* behind the last one that is released */
    const char *(*get_last_error)(struct ArrowArrayStream *);              /* or NULL */
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif
