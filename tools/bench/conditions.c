/*
 * conditions.c - see conditions.h. Names, drivers and clocks of GPUs come from NVML, which comes with the driver and is
 * opened when it is needed; cards are known by their UUID, whatever they are called elsewhere.
 */
#include "bench/conditions.h"

#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/library.h"
#include "base/status.h"
#include "bench/rig.h"

extern char **environ;

/* -------------------------------------------------------------------------------------------- cards */

/* What is asked of NVML; 0 is success. */
typedef struct nvml_device *nvml_handle;
typedef struct nvml {
    int (*init)(void);
    int (*shutdown)(void);
    int (*driver)(char *text, unsigned size);
    int (*by_uuid)(const char *uuid, nvml_handle *device);
    int (*name)(nvml_handle device, char *text, unsigned size);
    int (*clock)(nvml_handle device, int which, unsigned *mhz);
} nvml;
enum { NVML_CLOCK_SM = 1, NVML_CLOCK_MEMORY = 2 };

static bool open_nvml(nvml *n) {
    static const fr_library library = {.name = "NVML", .files = {"libnvidia-ml.so.1"}};
    const fr_symbol symbols[] = {{"nvmlInit_v2", &n->init},
                                 {"nvmlShutdown", &n->shutdown},
                                 {"nvmlSystemGetDriverVersion", &n->driver},
                                 {"nvmlDeviceGetHandleByUUID", &n->by_uuid},
                                 {"nvmlDeviceGetName", &n->name},
                                 {"nvmlDeviceGetClockInfo", &n->clock}};
    char file[256];
    return fr_library_open(&library, symbols, sizeof symbols / sizeof symbols[0], file, sizeof file, NULL) == FR_OK &&
           n->init() == 0;
}

static void read_card(const nvml *n, bench_card *card) {
    char uuid[64] = "GPU-";
    nvml_handle device;
    for (size_t i = 0, used = 4; i < sizeof card->id; i++)
        used += (size_t)snprintf(uuid + used, sizeof uuid - used, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                                 card->id[i]);
    if (n->by_uuid(uuid, &device) != 0) return;
    if (n->name(device, card->name, sizeof card->name) != 0) card->name[0] = '\0';
    if (n->clock(device, NVML_CLOCK_SM, &card->clock) != 0) card->clock = 0;
    if (n->clock(device, NVML_CLOCK_MEMORY, &card->memory_clock) != 0) card->memory_clock = 0;
}

static fr_status read_cards(const bench_settings *settings, bench_host *host, fr_error *error) {
    unsigned char ids[BENCH_CARDS_MOST][16] = {{0}};
    int numbers[BENCH_CARDS_MOST];
    nvml n;
    if (bench_gpus(settings) == 0) return FR_OK;
    FR_TRY(bench_rig_cards(settings, ids, numbers, BENCH_CARDS_MOST, &host->card_count, error));
    bool there = open_nvml(&n);
    if (there && n.driver(host->driver, sizeof host->driver) != 0) host->driver[0] = '\0';
    for (int i = 0; i < host->card_count; i++) {
        bench_card *card = &host->cards[i];
        card->number = numbers[i];
        memcpy(card->id, ids[i], sizeof card->id);
        if (there) read_card(&n, card);
    }
    if (there) n.shutdown();
    return FR_OK;
}

/* -------------------------------------------------------------------------------------------- hosts */

static void read_processor(bench_host *host) {
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file) && line[0] != '\n') { /* the first processor */
        char *value = strchr(line, ':');
        line[strcspn(line, "\n")] = '\0';
        if (!value) continue;
        if (strncmp(line, "model name", 10) == 0) snprintf(host->processor, sizeof host->processor, "%.90s", value + 2);
        if (strncmp(line, "cpu MHz", 7) == 0) host->clock = strtod(value + 1, NULL); /* no fraction is needed */
    }
    if (file) fclose(file);
}

static void read_mask(bench_host *host) {
    cpu_set_t set;
    host->processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return;
    host->processors = CPU_COUNT(&set);
    for (size_t i = 0; i < 8 * sizeof host->mask && i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set)) host->mask[i / 8] |= (unsigned char)(1u << i % 8);
}

/* ---------------------------------------------------------------------------------------- environment */

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* What people set, and not what mpirun tells its own processes. */
static bool matters(const char *variable) {
    static const char *const wanted[] = {"NCCL_", "OMPI_MCA_", "UCX_", "OMP_", "FITRELU_", "CUDA_VISIBLE_DEVICES="};
    static const char *const inner[] = {"OMPI_MCA_orte", "OMPI_MCA_ess", "OMPI_MCA_pmix", "OMPI_MCA_initial_wdir",
                                        "OMPI_MCA_shmem_RUNTIME"};
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++)
        if (begins(variable, inner[i])) return false;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (begins(variable, wanted[i])) return true;
    return false;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static fr_status read_environment(bench_conditions *c, fr_error *error) {
    int count = 0;
    for (char **v = environ; *v; v++) count += matters(*v);
    FR_TRY(fr_allocate((void **)&c->environment, count + 1, sizeof *c->environment, "the environment", error));
    for (char **v = environ; *v; v++)
        if (matters(*v) && c->variables < count) c->environment[c->variables++] = *v;
    qsort(c->environment, (size_t)c->variables, sizeof *c->environment, by_name);
    return FR_OK;
}

/* --------------------------------------------------------------------------------------------- whole */

fr_status bench_conditions_read(const bench_settings *settings, bench_conditions *c, fr_error *error) {
    FR_OWNED bench_host *mine = NULL;
    time_t now = time(NULL);
    *c = (bench_conditions){.processes = fr_world_size(settings->world)};
    strftime(c->when, sizeof c->when, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    c->ranks_a_process = bench_gpus(settings) > 1 ? bench_gpus(settings) : 1;
    fr_status status = fr_allocate((void **)&mine, 1, sizeof *mine, "the conditions", error);
    if (status == FR_OK) status = fr_allocate((void **)&c->hosts, c->processes, sizeof *c->hosts, "the conditions", error);
    if (status == FR_OK) status = read_environment(c, error);
    FR_TRY(fr_world_agree(settings->world, status, error));
    gethostname(mine->name, sizeof mine->name - 1);
    read_processor(mine);
    read_mask(mine);
    mine->threads = bench_threads(settings);
    FR_TRY(fr_world_agree(settings->world, read_cards(settings, mine, error), error));
    return fr_world_gather(settings->world, mine, sizeof *mine, c->hosts, error);
}

void bench_conditions_free(bench_conditions *c) {
    free(c->hosts);
    free(c->environment);
    *c = (bench_conditions){0};
}

const char *bench_who(const bench_conditions *c, int rank, char text[BENCH_WHO]) {
    int process = rank / c->ranks_a_process, own = rank % c->ranks_a_process;
    const bench_host *host = process < c->processes ? &c->hosts[process] : &c->hosts[0];
    int used = snprintf(text, BENCH_WHO, "rank %d on host %s, ", rank, host->name);
    if (own >= host->card_count) snprintf(text + used, BENCH_WHO - (size_t)used, "device cpu");
    else snprintf(text + used, BENCH_WHO - (size_t)used, "device GPU %d%s%s", host->cards[own].number,
                  host->cards[own].name[0] ? " " : "", host->cards[own].name);
    return text;
}

/* ---------------------------------------------------------------------------------------------- shared */

/* Processes of one host whose threads are more than the processors that they may use together. */
static bool processors_are_shared(const bench_conditions *c, int process, char line[BENCH_LINE]) {
    const bench_host *host = &c->hosts[process];
    unsigned char mask[sizeof host->mask] = {0};
    int threads = 0, ranks = 0, processors = 0;
    for (int p = 0; p < c->processes; p++) {
        if (strcmp(c->hosts[p].name, host->name) != 0) continue;
        if (p < process) return false; /* told with that one */
        threads += c->hosts[p].threads, ranks++;
        for (size_t i = 0; i < sizeof mask; i++) mask[i] |= c->hosts[p].mask[i];
    }
    for (size_t i = 0; i < 8 * sizeof mask; i++) processors += mask[i / 8] >> i % 8 & 1;
    if (host->card_count > 0 || ranks < 2 || threads <= processors || processors == 0) return false;
    snprintf(line, BENCH_LINE, "host %s: %d ranks share %d processors: their times are those of a crowd", host->name, ranks,
             processors);
    return true;
}

static bool cards_are_shared(const bench_conditions *c, int process, char line[BENCH_LINE]) {
    const bench_host *host = &c->hosts[process];
    for (int p = 0; p < process; p++)
        for (int i = 0; i < c->hosts[p].card_count; i++)
            for (int k = 0; k < host->card_count; k++) {
                if (memcmp(c->hosts[p].cards[i].id, host->cards[k].id, sizeof host->cards[k].id) != 0) continue;
                snprintf(line, BENCH_LINE, "host %s: processes %d and %d share a GPU", host->name, p, process);
                return true;
            }
    return false;
}

bool bench_shared(const bench_conditions *c, int *at, char line[BENCH_LINE]) {
    while (*at < 2 * c->processes) {
        int process = *at / 2, cards = *at % 2;
        ++*at;
        if (cards ? cards_are_shared(c, process, line) : processors_are_shared(c, process, line)) return true;
    }
    return false;
}
