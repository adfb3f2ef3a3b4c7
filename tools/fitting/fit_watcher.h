/*
 * fit_watcher.h - whoever looks on while a fit is made. Each function may be NULL.
 */
#ifndef FITRELU_FIT_WATCHER_H
#define FITRELU_FIT_WATCHER_H

#include "fitrelu.h"

typedef struct fit_watcher {
    fr_report_function report;   /* as in fr_options: on rank 0 */
    fr_report_function progress; /* on every rank */
    int (*stop)(void *user);     /* asked while a second fit is made to compare with: non-zero ends that */
    void *user;
} fit_watcher;

#endif
