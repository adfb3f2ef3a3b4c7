/*
 * interrupt.c - the signal flag: a mutable global, since a handler has nowhere else to write.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "console/interrupt.h"
#include "ranks/coverage.h"

static volatile sig_atomic_t signal_seen;
static const char *volatile farewell;

static void remember(int number) { signal_seen = number; }
static void ignore(int number) { (void)number; }

static void handle(int number, void (*handler)(int), int flags) {
    struct sigaction before, action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    /* A program started in the background with signals ignored (nohup) goes on ignoring them. */
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(number, &action, NULL);
}

/* A function that does nothing and not SIG_IGN, which the programs started from here would inherit. */
void interrupt_shield(void) {
    handle(SIGPIPE, ignore, SA_RESTART);
    handle(SIGXFSZ, ignore, SA_RESTART);
}

static void handle_all(void (*handler)(int)) {
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (int i = 0; i < 3; i++) handle(numbers[i], handler, SA_RESTART | (int)SA_RESETHAND);
}

/* The signal is blocked in here, and its own action is the default again: it ends the program on return. */
static void leave(int number) {
    const char *text = farewell;
    ssize_t told = text ? write(STDERR_FILENO, text, strlen(text)) : 0;
    (void)told; /* it ends in any case */
    fr_coverage_keep();
    raise(number);
}

void interrupt_leave(void) { handle_all(leave); }
void interrupt_farewell(const char *text) { farewell = text; }

void interrupt_hear_usr1(void) { handle(SIGUSR1, remember, SA_RESTART); }

void interrupt_catch(void) {
    static bool caught;
    if (!caught) handle_all(remember);
    caught = true;
}

int interrupt_signal(void) { return signal_seen; }
