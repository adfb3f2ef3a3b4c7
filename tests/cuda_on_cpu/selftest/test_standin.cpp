// test_standin.cpp - what only the stand-in has: orders, faults as errors, refused calls, failures,
// devices and leaks on request. test_kernels.cpp and test_runtime.cpp hold on a GPU too.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <string>

#include "cuda_on_cpu/control.h"
#include "device_array.h"
#include "kernels.h"
#include "planted.h"

namespace {

bool noted(const std::string &text) { return std::string(cuda_on_cpu_last_note()).find(text) != std::string::npos; }

class StandIn : public ::testing::Test {
  protected:
    void TearDown() override {
        for (const char *variable : {"DEVICES", "DRIVER", "MEMORY", "ORDER", "FAULT", "FAIL", "HANG", "DELAY"})
            cuda_on_cpu_set((std::string("CUDA_ON_CPU_") + variable).c_str(), nullptr);
        cuda_on_cpu_reset();
    }
    static void set(const char *variable, const char *value) {
        cuda_on_cpu_set((std::string("CUDA_ON_CPU_") + variable).c_str(), value);
    }
};

TEST_F(StandIn, ResultsDoNotDependOnTheOrderOfThreadsAndBlocks) {
    for (const char *order : {"forward", "reverse", "random", "random:7"}) {
        set("ORDER", order);
        DeviceArray<float> in(std::vector<float>(64 * 5, 1.0f)), sums(5);
        ASSERT_EQ(launch_block_sum(in, sums, 5, nullptr), cudaSuccess);
        EXPECT_EQ(sums.host(), std::vector<float>(5, 64.0f)) << order;
        DeviceArray<unsigned> out(warp_operations * 32);
        ASSERT_EQ(launch_warp(out, nullptr), cudaSuccess);
        EXPECT_EQ(out.host()[9 * 32 + 3], 496u) << order;
    }
}

TEST_F(StandIn, AnOrderDependenceShowsInReverse) {
#ifdef __SANITIZE_THREAD__
    GTEST_SKIP() << "the kernel has a data race, which is its point";
#endif
    DeviceArray<int> out(1);
    set("ORDER", "forward");
    ASSERT_EQ(launch_last_writer(out, nullptr), cudaSuccess);
    EXPECT_EQ(out.host()[0], 63);
    set("ORDER", "reverse");
    ASSERT_EQ(launch_last_writer(out, nullptr), cudaSuccess);
    EXPECT_EQ(out.host()[0], 0);
}

/* In sticky mode each planted bug of a kernel is an error that stays until the device is reset. */
struct Planted {
    const char *name, *words;
    cudaError_t error;
};

class PlantedBugs : public StandIn, public ::testing::WithParamInterface<Planted> {};

TEST_P(PlantedBugs, BecomesAStickyErrorThatSaysWhatHappened) {
    set("FAULT", "sticky");
    testing::internal::CaptureStderr();
    const cudaError_t launched = run_planted_bug(GetParam().name);
    const cudaError_t error = launched != cudaSuccess ? launched : cudaDeviceSynchronize();
    const std::string printed = testing::internal::GetCapturedStderr();
    EXPECT_EQ(error, GetParam().error) << printed;
    EXPECT_NE(printed.find(GetParam().words), std::string::npos) << printed;
    void *memory;
    EXPECT_EQ(cudaMalloc(&memory, 16), GetParam().error) << "the error must stay";
    EXPECT_EQ(cudaDeviceReset(), cudaSuccess);
    DeviceArray<float> in(std::vector<float>(64, 1.0f)), sums(1);
    EXPECT_EQ(launch_block_sum(in, sums, 1, nullptr), cudaSuccess);
    EXPECT_EQ(sums.host()[0], 64.0f) << "fibers must be usable after a fault";
}

INSTANTIATE_TEST_SUITE_P(
    All, PlantedBugs,
    ::testing::Values(Planted{"divergent_barrier", "divergent barriers", cudaErrorLaunchFailure},
                      Planted{"skipped_barrier", "32 of 64 threads have left the kernel", cudaErrorLaunchFailure},
                      Planted{"barrier_against_warp", "__syncwarp with mask 0xffffffff", cudaErrorLaunchFailure},
                      Planted{"wrong_mask", "lacks its own lane", cudaErrorLaunchFailure},
                      Planted{"disagreeing_masks", "calls __shfl_xor_sync with mask", cudaErrorLaunchFailure},
                      Planted{"inactive_lane", "which is not taking part", cudaErrorLaunchFailure},
                      Planted{"host_pointer", "argument 1: ", cudaErrorIllegalAddress},
                      Planted{"other_device", "which device 0 has no access to", cudaErrorIllegalAddress},
                      Planted{"grid_left_early", "wait at the grid's barrier", cudaErrorLaunchFailure},
                      Planted{"grid_not_cooperative", "not cooperative", cudaErrorLaunchFailure},
                      Planted{"trap", "__trap", cudaErrorLaunchFailure}),
    [](const auto &info) { return info.param.name; });

TEST_F(StandIn, WrongCopiesAreRefusedAndExplained) {
    DeviceArray<int> array(4);
    std::vector<int> host(8);
    EXPECT_EQ(cudaMemcpy(host.data(), array, 16, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    EXPECT_TRUE(noted("wrong direction"));
    EXPECT_EQ(cudaMemcpy(array, host.data(), 16, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
    EXPECT_TRUE(noted("wrong direction"));
    EXPECT_EQ(cudaMemcpy(array, host.data(), 20, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
    EXPECT_TRUE(noted("pass the end"));
    EXPECT_EQ(cudaMemset(host.data(), 0, 4), cudaErrorInvalidValue);
    EXPECT_TRUE(noted("host memory"));
    EXPECT_EQ(cudaMemcpy(host.data(), array, 16, cudaMemcpyDefault), cudaSuccess);
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(StandIn, NewDeviceMemoryIsNotZero) {
    DeviceArray<float> array(4);
    for (float value : array.host()) EXPECT_TRUE(std::isnan(value));
}

TEST_F(StandIn, WrongLaunchesAreRefused) {
    DeviceArray<unsigned> out(64);
    EXPECT_EQ(launch_number(out, dim3(1), dim3(1025), nullptr), cudaErrorInvalidConfiguration);
    EXPECT_EQ(launch_number(out, dim3(0), dim3(32), nullptr), cudaErrorInvalidConfiguration);
    DeviceArray<int> values(100);
    EXPECT_EQ(launch_grid_rounds(values, values, 1, 100, 1, nullptr), cudaErrorCooperativeLaunchTooLarge);
    cudaStream_t stream;
    ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
    ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
    EXPECT_EQ(launch_number(nullptr, dim3(1), dim3(32), stream), cudaErrorInvalidResourceHandle);
    EXPECT_TRUE(noted("device 1 is current"));
    ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
    EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
}

TEST_F(StandIn, DynamicSharedMemoryNeedsAnAttributePast48Kibibytes) {
    EXPECT_EQ(launch_large_shared(49 * 1024, 0, nullptr), cudaErrorInvalidValue);
    EXPECT_EQ(launch_large_shared(49 * 1024, 49 * 1024, nullptr), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

TEST_F(StandIn, TheNthCallFailsOnRequest) {
    set("FAIL", "cudaMalloc:2,cudaStreamCreateWithFlags:1:46");
    void *first = nullptr, *second = nullptr;
    cudaStream_t stream;
    EXPECT_EQ(cudaMalloc(&first, 16), cudaSuccess);
    EXPECT_EQ(cudaMalloc(&second, 16), cudaErrorMemoryAllocation);
    EXPECT_EQ(cudaMalloc(&second, 16), cudaSuccess);
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream, 0), cudaErrorDevicesUnavailable);
    EXPECT_EQ(cuda_on_cpu_calls("cudaMalloc"), 3u);
    EXPECT_EQ(cudaFree(first), cudaSuccess);
    EXPECT_EQ(cudaFree(second), cudaSuccess);
}

TEST_F(StandIn, AKernelFailsOnRequestAndTheErrorSticks) {
    set("FAIL", "kernel:2");
    unsigned *out = nullptr;
    ASSERT_EQ(cudaMalloc(reinterpret_cast<void **>(&out), 32 * sizeof *out), cudaSuccess);
    EXPECT_EQ(launch_number(out, dim3(1), dim3(32), nullptr), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(launch_number(out, dim3(1), dim3(32), nullptr), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorIllegalAddress);
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaErrorIllegalAddress);
    EXPECT_EQ(cudaDeviceReset(), cudaSuccess);
}

TEST_F(StandIn, WithoutADriverNothingWorksButNothingCrashes) {
    set("DEVICES", "0");
    int count = -1, version = -1;
    EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorInsufficientDriver);
    EXPECT_EQ(count, 0);
    EXPECT_EQ(cudaDriverGetVersion(&version), cudaSuccess);
    EXPECT_EQ(version, 0);
    void *memory;
    EXPECT_EQ(cudaMalloc(&memory, 16), cudaErrorInsufficientDriver);
    EXPECT_STREQ(cudaGetErrorName(cudaGetLastError()), "cudaErrorInsufficientDriver");
    set("DRIVER", "13000");
    EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorNoDevice);
}

TEST_F(StandIn, MemoryRunsOutAsPretended) {
    set("MEMORY", "1M");
    void *most = nullptr, *rest = nullptr;
    size_t free_bytes = 0, total = 0;
    EXPECT_EQ(cudaMalloc(&most, 1000 * 1024), cudaSuccess);
    EXPECT_EQ(cudaMemGetInfo(&free_bytes, &total), cudaSuccess);
    EXPECT_EQ(free_bytes, 24u * 1024);
    EXPECT_EQ(total, 1024u * 1024);
    EXPECT_EQ(cudaMalloc(&rest, 25 * 1024), cudaErrorMemoryAllocation);
    EXPECT_EQ(cudaFree(most), cudaSuccess);
}

TEST_F(StandIn, LeaksAreCounted) {
    const int before = cuda_on_cpu_leaks(0);
    void *memory, *pinned;
    cudaStream_t stream;
    cudaEvent_t event;
    ASSERT_EQ(cudaMalloc(&memory, 16), cudaSuccess);
    ASSERT_EQ(cudaMallocHost(&pinned, 16), cudaSuccess);
    ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
    ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
    EXPECT_EQ(cuda_on_cpu_leaks(0), before + 4);
    EXPECT_EQ(cudaFree(memory), cudaSuccess);
    EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
    EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
    EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
    EXPECT_EQ(cuda_on_cpu_leaks(0), before);
}

/* Not a test of speed, which no test may be; it prints the cost of a switch. */
TEST_F(StandIn, ManyBarriers) {
    DeviceArray<int> out(64);
    const auto start = std::chrono::steady_clock::now();
    ASSERT_EQ(launch_barriers(out, 2000, nullptr), cudaSuccess);
    EXPECT_EQ(out.host()[63], 2000);
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    std::printf("%.1f ns a barrier and thread\n", taken.count() / (64.0 * 2000));
}

} // namespace
