// planted_main.cpp - commits one planted bug and waits for the device. CTest runs it once a bug and
// passes if the report's words appear, so a bug that is not found fails the test.
#include <cuda_runtime_api.h>
#include <nccl.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include <unistd.h>

#include "planted.h"

/* Rank 1 calls with another count ("mismatch") or not at all ("missing"). */
static void collective_bug(bool mismatch) {
    ncclUniqueId id;
    ncclGetUniqueId(&id);
    const auto rank = [&](int r) {
        ncclComm_t comm;
        cudaStream_t stream;
        void *array;
        cudaSetDevice(r);
        cudaStreamCreate(&stream);
        cudaMalloc(&array, 64);
        ncclCommInitRank(&comm, 2, id, r);
        if (r == 0) ncclAllReduce(array, array, 16, ncclInt32, ncclSum, comm, stream);
        else if (mismatch) ncclAllReduce(array, array, 16, ncclFloat32, ncclSum, comm, stream);
        cudaStreamSynchronize(stream);
    };
    std::thread other(rank, 1);
    rank(0);
    other.join();
}

int main(int argc, char **argv) {
    std::signal(SIGABRT, [](int) { _exit(1); }); /* CTest calls any signal a failure, whatever was printed */
    const char *name = argc > 1 ? argv[1] : "";
    if (!std::strcmp(name, "collective_mismatch")) collective_bug(true);
    else if (!std::strcmp(name, "collective_missing")) collective_bug(false);
    else {
        const cudaError_t launched = run_planted_bug(name);
        const cudaError_t finished = cudaDeviceSynchronize();
        std::printf("%s: launch %s, end %s\n", name, cudaGetErrorName(launched), cudaGetErrorName(finished));
    }
    return 0;
}
