/* settings.h - what the CUDA_ON_CPU_* environment variables say.
 *
 *   CUDA_ON_CPU_DEVICES=4       pretended devices; 0 behaves as a machine without a driver
 *   CUDA_ON_CPU_DRIVER=13000    driver version; given with 0 devices: a driver, but no device
 *   CUDA_ON_CPU_MEMORY=1073741824  bytes a device; suffixes K, M, G
 *   CUDA_ON_CPU_MULTIPROCESSORS=4, CUDA_ON_CPU_CAPABILITY=80
 *   CUDA_ON_CPU_GRID_YZ=65535   the most blocks in the second and third dimension of a grid
 *   CUDA_ON_CPU_THREADS=1       how many blocks of a kernel run at once (4 under the thread sanitizer)
 *   CUDA_ON_CPU_ORDER=forward | reverse | random[:SEED]   order of blocks and threads
 *   CUDA_ON_CPU_FAULT=abort | sticky   a faulty kernel or collective ends the process, or becomes an error
 *   CUDA_ON_CPU_FAIL=NAME:N[+][:ERROR]  the N-th call of NAME fails (with + every one from there on)
 *                               kernel:N the N-th kernel to run becomes a sticky error of its device,
 *                               ncclAsync:N the N-th collective to run an asynchronous error of its ranks
 *   CUDA_ON_CPU_HANG=NAME:RANK:N[+]   rank RANK's N-th NAME never arrives
 *   CUDA_ON_CPU_DELAY=NAME:MICROSECONDS   NAME (or any) is that much late on its stream
 *   CUDA_ON_CPU_NCCL_TIMEOUT=20  seconds after which a collective names who is missing
 *   CUDA_ON_CPU_SHARED=DIR       communicators of several processes meet in files there
 *   CUDA_ON_CPU_LEAKS=1          at exit, list what was not released and exit with 23
 *
 * FAIL, HANG and DELAY take several rules, separated by commas.
 */
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cuda_on_cpu {

enum class Order { forward, reverse, random };

struct Settings {
    int devices = 4;
    int driver = -1;
    size_t memory = size_t(1) << 30;
    int multiprocessors = 4;
    int capability = 80;
    unsigned grid_yz = 65535;
    unsigned threads = 1;
    Order order = Order::forward;
    unsigned seed = 1;
    bool sticky_faults = false;
    bool leaks = false;
    double nccl_timeout = 20.0;
    std::string shared;
};

const Settings &settings();
void reload_settings();

/* Counts a call of `name`; true if a CUDA_ON_CPU_FAIL rule names this one. `error` receives the
 * rule's error number, or stays as it was. */
bool call_fails(const char *name, int *error);
/* The same for what streams run (kernel, ncclAsync): not counted, and no lock where there is no rule. */
bool run_fails(const char *name, int *error);
unsigned long long calls_of(const char *name);

/* Counts rank's arrival at `name`; true if it is to be lost. */
bool arrival_hangs(const char *name, int rank);

/* Sleeps as CUDA_ON_CPU_DELAY says for an operation that is about to run on a stream. */
void delay(const char *name);

} // namespace cuda_on_cpu
