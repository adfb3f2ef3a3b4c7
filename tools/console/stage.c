/*
 * stage.c - the thread that looks on, and how it tells progress from silence.
 *
 * Progress is what the system counts for this process: processor time (less the thread's own), pages read from a disk, and
 * bytes read, so that no reader has to report. Only time in which the process was awake counts as silence: a job that was
 * suspended as a whole goes on when it is resumed.
 */
#include "console/stage.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "console/interrupt.h"
#include "console/json_result.h"
#include "console/message.h"
#include "console/progress.h"
#include "console/stage_line.h"
#include "ranks/world.h"
#include "ranks/coverage.h"

enum { LEAST_BAR = 5, MOST_BAR = 20 };

static const double SHOWN_AFTER = 1, REDRAWN_AFTER = 0.2, LONGEST_TICK = 0.2, LONGEST_PAUSE = 60;
/* The share of a processor below which a process only wakes up now and then. */
static const double IDLE_SHARE = 0.02;

/* What the process has used and read so far. */
typedef struct usage {
    double processor; /* seconds */
    long pages;
    long long bytes;
} usage;

/* One for the program, as its signals and its stderr are. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool started, shows, bar, color, drawn;
    double limit;
    int rank;
    fr_world *world;
    bool active, meeting;
    char name[256];
    double began, silent, last_beat, last_drawn, pause;
    stage_counts counts;
} stage = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .rank = -1};

/* ----------------------------------------------------------------------------------------- progress */

static double seconds_of(clockid_t clock) {
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Bytes that the process has read, those read by this function apart; 0 where the system does not say. */
static long long bytes_read(void) {
    static long long own; /* of the one thread */
    char text[256] = "";
    int descriptor = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return 0;
    ssize_t got = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    long long bytes = strncmp(text, "rchar: ", 7) == 0 ? strtoll(text + 7, NULL, 10) - own : 0;
    if (got > 0) own += got;
    return bytes;
}

static usage read_usage(void) {
    struct rusage all = {0};
    getrusage(RUSAGE_SELF, &all);
    return (usage){seconds_of(CLOCK_PROCESS_CPUTIME_ID) - seconds_of(CLOCK_THREAD_CPUTIME_ID), all.ru_majflt, bytes_read()};
}

static bool has_progressed(const usage *before, const usage *now, double seconds) {
    return now->processor - before->processor > IDLE_SHARE * seconds || now->pages > before->pages ||
           now->bytes > before->bytes;
}

/* ------------------------------------------------------------------------------------------ showing */

/* "fitrelu: making rows [####......], 34 %, 1.2e+06 rows a second, 3 s", cut where the terminal ends. */
static void draw(double now) {
    char words[STAGE_WORDS], line[512];
    double share = stage_counts_share(&stage.counts);
    stage_counts_words(&stage.counts, now, words);
    int width = progress_width() - 1;
    int head = fprintf(stderr, "\rfitrelu: %.60s", stage.name) - 1;
    int tail = snprintf(line, sizeof line, "%s, %.0f s", words, floor(now - stage.began));
    int room = width - head - tail - 3;
    if (share >= 0 && room >= LEAST_BAR) {
        fputc(' ', stderr);
        progress_bar(share, room < MOST_BAR ? room : MOST_BAR, stage.color);
    }
    if (width > head) fprintf(stderr, "%.*s", width - head, line);
    fputs("\033[K", stderr);
    fflush(stderr);
    stage.drawn = true;
    stage.last_drawn = now;
}

/* A line of its own, after twice the time of the one before. */
static void print(double now) {
    char words[STAGE_WORDS];
    stage_counts_words(&stage.counts, now, words);
    if (!words[0]) return;
    fprintf(stderr, "fitrelu: %s%s, %.0f s\n", stage.name, words, floor(now - stage.began));
    stage.last_drawn = now;
    stage.pause = fmin(2 * stage.pause, LONGEST_PAUSE);
}

static void show(double now) {
    if (!stage.shows || now - stage.began <= SHOWN_AFTER) return;
    if (stage.bar && now - stage.last_drawn > REDRAWN_AFTER) draw(now);
    else if (!stage.bar && now - stage.last_drawn > stage.pause) print(now);
}

static void wipe(void) {
    if (stage.drawn) fputs("\r\033[K", stderr);
    stage.drawn = false;
}

/* ------------------------------------------------------------------------------------------- ending */

/* The line goes straight to the descriptor: whoever holds stderr's lock may be what is stuck. stdout is free, since nothing
 * is printed there during a stage. */
static void tell_silence(void) {
    fr_error error = {.status = FR_ERROR_TIMEOUT, .rank = stage.rank, .device = -1, .step = -1};
    char line[sizeof error.message + 64], who[32] = "";
    if (stage.rank >= 0) snprintf(who, sizeof who, "rank %d: ", stage.rank);
    snprintf(error.message, sizeof error.message, "%s%s: %s for %g seconds (--timeout)", who, stage.name,
             stage.meeting ? "not all of the other ranks came" : "nothing came", stage.limit);
    int length = snprintf(line, sizeof line, "%sfitrelu: error: %s\n", stage.drawn ? "\r\033[K" : "", error.message);
    if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0) return;
    message_told(&error);
    json_result_failure(FR_ERROR_TIMEOUT);
    fflush(stdout);
}

/* Of a rank that can still call MPI every other ends too; from a call of MPI that does not return there is only this way. */
static void give_up(void) {
    tell_silence();
    if (stage.world && !stage.meeting) fr_world_abort(stage.world, FR_ERROR_TIMEOUT);
    fr_coverage_keep();
    _exit(FR_ERROR_TIMEOUT);
}

/* ------------------------------------------------------------------------------------------- thread */

/* Ranks give up one after the other, so that mostly one speaks: while they join all do at once, and the launcher takes a
 * moment to end the others. */
static double seconds_allowed(void) {
    int rank = stage.rank > 0 ? stage.rank : 0;
    return stage.limit + (stage.meeting ? fmin(0.5 * rank, 5) : 0.05 * rank);
}

static void beat(double now) {
    if (!stage.world || now - stage.last_beat < stage.limit / 4) return;
    stage.last_beat = now;
    fr_world_beat(stage.world);
}

static void look(double now, double awake, bool progressed) {
    bool busy = fr_world_is_busy(stage.world); /* the exchange has the same timeout, and knows for whom it waits */
    if (stage.limit > 0) {
        stage.silent = busy || (progressed && !stage.meeting) ? 0 : stage.silent + awake;
        if (!busy && stage.silent == 0) beat(now);
        if (stage.silent > seconds_allowed()) give_up();
    }
    show(now);
}

static void rest(double seconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    long nanoseconds = until.tv_nsec + (long)(1e9 * seconds);
    until.tv_sec += nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    if (stage.active) pthread_cond_timedwait(&stage.changed, &stage.lock, &until);
    else pthread_cond_wait(&stage.changed, &stage.lock);
}

static void *look_on(void *unused) {
    double before = fr_seconds();
    pthread_mutex_lock(&stage.lock);
    for (usage last = read_usage();;) {
        double tick = stage.limit > 0 && stage.limit / 8 < LONGEST_TICK ? stage.limit / 8 : LONGEST_TICK;
        rest(tick < 0.01 ? 0.01 : tick);
        double now = fr_seconds(), awake = now - before;
        usage current = read_usage();
        if (stage.active && now > stage.began) look(now, awake < 1 ? awake : 1, has_progressed(&last, &current, awake));
        before = now;
        last = current;
    }
    return unused;
}

/* With all signals blocked: they are for the thread that works. A program without this thread runs as well. */
static void start_thread(void) {
    pthread_t thread;
    sigset_t all, before;
    if (stage.started || (!(stage.limit > 0) && !stage.shows)) return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    stage.started = pthread_create(&thread, NULL, look_on, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (stage.started) pthread_detach(thread);
}

/* ------------------------------------------------------------------------------------------- stages */

void stage_limit(double timeout, int rank) {
    stage.limit = isfinite(timeout) ? timeout : 0;
    stage.rank = rank;
}

void stage_show(void) {
    pthread_mutex_lock(&stage.lock);
    const progress shown = progress_start(false);
    stage.shows = true;
    stage.bar = shown.bar;
    stage.color = shown.color;
    interrupt_leave();
    pthread_mutex_unlock(&stage.lock);
}

void stage_join(fr_world *world) {
    pthread_mutex_lock(&stage.lock);
    stage.world = fr_world_size(world) > 1 ? world : NULL;
    pthread_mutex_unlock(&stage.lock);
}

/* What a signal that ends the program now would say. Two texts, so that the one in use is never written to. */
static void prepare_farewell(void) {
    static char texts[2][400];
    static int next;
    next = !next;
    snprintf(texts[next], sizeof texts[next], "%sfitrelu: interrupted: %s; run the same command again\n",
             stage.bar ? "\r\033[K" : "", stage.name);
    interrupt_farewell(texts[next]);
}

static void begin(bool meeting) {
    wipe();
    stage.active = true;
    stage.meeting = meeting;
    stage.began = stage.last_beat = fr_seconds();
    stage.silent = stage.last_drawn = 0;
    stage.pause = SHOWN_AFTER;
    stage.counts = (stage_counts){0};
    if (stage.shows) prepare_farewell();
    start_thread();
    pthread_cond_signal(&stage.changed);
}

void stage_begin(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&stage.lock);
    vsnprintf(stage.name, sizeof stage.name, format, arguments);
    begin(false);
    pthread_mutex_unlock(&stage.lock);
    va_end(arguments);
}

void stage_begin_meeting(const char *what) {
    pthread_mutex_lock(&stage.lock);
    snprintf(stage.name, sizeof stage.name, "%s", what);
    begin(true);
    pthread_mutex_unlock(&stage.lock);
}

int stage_count(int64_t done, int64_t total, void *unused) {
    (void)unused;
    pthread_mutex_lock(&stage.lock);
    stage_counts_rows(&stage.counts, done, total, fr_seconds());
    pthread_mutex_unlock(&stage.lock);
    return 0;
}

int stage_count_bytes(int64_t done, int64_t total, void *unused) {
    (void)unused;
    pthread_mutex_lock(&stage.lock);
    stage_counts_bytes(&stage.counts, done, total, fr_seconds());
    pthread_mutex_unlock(&stage.lock);
    return 0;
}

void stage_end(void) {
    pthread_mutex_lock(&stage.lock);
    wipe();
    stage.active = false;
    pthread_mutex_unlock(&stage.lock);
}
