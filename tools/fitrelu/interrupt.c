/*
 * interrupt.c - the signal flag: a mutable global, since a handler has nowhere else to write.
 */
#include <signal.h>
#include <string.h>

#include "fitrelu/interrupt.h"

static volatile sig_atomic_t signal_seen;

static void remember(int number) { signal_seen = number; }

void interrupt_catch(void) {
    const int numbers[] = {SIGINT, SIGTERM};
    for (int i = 0; i < 2; i++) {
        struct sigaction before, action;
        memset(&action, 0, sizeof action);
        action.sa_handler = remember;
        action.sa_flags = SA_RESTART | (int)SA_RESETHAND;
        sigemptyset(&action.sa_mask);
        /* A program started in the background with signals ignored (nohup) goes on ignoring them. */
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
}

int interrupt_signal(void) { return signal_seen; }
