/* control.cpp - what tests ask of the stand-in (control.h), and the leak check at exit. */
#include "cuda_on_cpu/control.h"

#include <cstdio>
#include <cstdlib>
#include <unistd.h>
#include <vector>

#include "device.h"
#include "faults.h"
#include "graph.h"
#include "grid.h"
#include "libraries.h"
#include "memory.h"
#include "settings.h"
#include "stream.h"

using namespace cuda_on_cpu;

static std::vector<Library> &libraries() {
    static std::vector<Library> &all = *new std::vector<Library>();
    return all;
}

bool cuda_on_cpu::register_library(const Library &library) {
    libraries().push_back(library);
    return true;
}

int cuda_on_cpu_is_pretending() { return 1; }

int cuda_on_cpu_leaks(int describe) {
    int count = describe_allocations(describe) + describe_streams(describe) + describe_events(describe) +
                describe_graphs(describe);
    for (const Library &library : libraries()) count += library.describe(describe);
    return count;
}

void cuda_on_cpu_reset() {
    for (const Library &library : libraries()) library.forget();
    for (int id = 0; id < device_count(); ++id) {
        synchronize_device(device(id));
        free_everything(id);
        device(id).peers.clear();
        device(id).sticky = cudaSuccess;
    }
    free_everything(-1);
    forget_graphs();
    forget_loaded_kernels();
    forget_events();
    close_all_streams();
    reload_settings();
    if (device_count() > 0) cudaSetDevice(0);
    cudaGetLastError();
}

void cuda_on_cpu_set(const char *variable, const char *value) {
    if (value) setenv(variable, value, 1);
    else unsetenv(variable);
    reload_settings();
}

const char *cuda_on_cpu_last_note() { return last_note(); }
unsigned long long cuda_on_cpu_kernels_run() { return kernels_run(); }
unsigned long long cuda_on_cpu_calls(const char *name) { return calls_of(name); }

void cuda_on_cpu::check_leaks_at_exit() {
    if (!settings().leaks) return;
    const int leaks = cuda_on_cpu_leaks(1);
    if (leaks == 0) return;
    std::fprintf(stderr, "cuda_on_cpu: %d object%s not released\n", leaks, leaks == 1 ? " was" : "s were");
    std::fflush(nullptr);
    _exit(23);
}
