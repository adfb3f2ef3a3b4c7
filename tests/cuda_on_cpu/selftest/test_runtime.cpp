// test_runtime.cpp - devices, streams, events, copies, graphs, cuBLAS. Holds on a GPU too, where
// there is more than one; the stand-in pretends four.
#include <cublas_v2.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>
#include <thread>

#include "cuda_on_cpu/control.h"
#include "device_array.h"
#include "host_in_c.h"
#include "kernels.h"

namespace {

/* A host function that holds its stream until the test lets go. */
struct Gate {
    std::atomic<bool> open{false};
    ~Gate() { open = true; } /* so that a test that fails does not hang as well */
    static void wait(void *self) {
        while (!static_cast<Gate *>(self)->open) std::this_thread::yield();
    }
};

class Runtime : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
        ASSERT_EQ(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), cudaSuccess);
        ASSERT_EQ(cudaEventCreate(&event), cudaSuccess);
        ASSERT_EQ(cudaEventCreate(&later), cudaSuccess);
    }
    void TearDown() override {
        EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
        EXPECT_EQ(cudaStreamDestroy(other), cudaSuccess);
        EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
        EXPECT_EQ(cudaEventDestroy(later), cudaSuccess);
        EXPECT_EQ(cudaGetLastError(), cudaSuccess);
        EXPECT_EQ(cuda_on_cpu_leaks(1), 0);
    }
    cudaStream_t stream, other;
    cudaEvent_t event, later;
};

TEST_F(Runtime, DevicesDescribeThemselves) {
    int count = 0, value = 0;
    ASSERT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
    ASSERT_GE(count, 2);
    cudaDeviceProp properties;
    ASSERT_EQ(cudaGetDeviceProperties(&properties, 1), cudaSuccess);
    EXPECT_EQ(properties.warpSize, 32);
    EXPECT_EQ(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 1), cudaSuccess);
    EXPECT_EQ(value, properties.multiProcessorCount);
    char bus[32], bus_of_other[32];
    EXPECT_EQ(cudaDeviceGetPCIBusId(bus, sizeof bus, 0), cudaSuccess);
    EXPECT_EQ(cudaDeviceGetPCIBusId(bus_of_other, sizeof bus_of_other, 1), cudaSuccess);
    EXPECT_STRNE(bus, bus_of_other);
    EXPECT_EQ(cudaSetDevice(count), cudaErrorInvalidDevice);
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
    EXPECT_STREQ(cudaGetErrorString(cudaErrorMemoryAllocation), "out of memory");
}

TEST_F(Runtime, StreamsRunInOrderAndReportWhetherTheyAreDone) {
    Gate gate;
    DeviceArray<unsigned> out(64);
    ASSERT_EQ(cudaLaunchHostFunc(stream, Gate::wait, &gate), cudaSuccess);
    ASSERT_EQ(launch_number(out, dim3(1), dim3(64), stream), cudaSuccess);
    EXPECT_EQ(cudaStreamQuery(stream), cudaErrorNotReady);
    EXPECT_EQ(cudaStreamQuery(other), cudaSuccess);
    gate.open = true;
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(cudaStreamQuery(stream), cudaSuccess);
    EXPECT_EQ(out.host()[63], 63u);
    EXPECT_EQ(cudaGetLastError(), cudaErrorNotReady);
}

TEST_F(Runtime, AStreamWaitsForAnotherByAnEvent) {
    Gate gate;
    DeviceArray<float> x(std::vector<float>(64, 1.0f)), y(std::vector<float>(64, 0.0f));
    ASSERT_EQ(cudaLaunchHostFunc(stream, Gate::wait, &gate), cudaSuccess);
    ASSERT_EQ(launch_axpy(y, x, 2.0f, 64, stream), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(event, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamWaitEvent(other, event, 0), cudaSuccess);
    ASSERT_EQ(launch_axpy(x, y, 1.0f, 64, other), cudaSuccess);
    EXPECT_EQ(cudaEventQuery(event), cudaErrorNotReady);
    gate.open = true;
    EXPECT_EQ(cudaStreamSynchronize(other), cudaSuccess);
    EXPECT_EQ(cudaEventQuery(event), cudaSuccess);
    EXPECT_EQ(x.host(), std::vector<float>(64, 3.0f));
    cudaGetLastError();
}

TEST_F(Runtime, EventsMeasureTime) {
    float milliseconds = -1;
    ASSERT_EQ(cudaEventRecord(event, stream), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(later, stream), cudaSuccess);
    ASSERT_EQ(cudaEventSynchronize(later), cudaSuccess);
    EXPECT_EQ(cudaEventElapsedTime(&milliseconds, event, later), cudaSuccess);
    EXPECT_GE(milliseconds, 0.0f);
    cudaEvent_t untimed;
    ASSERT_EQ(cudaEventCreateWithFlags(&untimed, cudaEventDisableTiming), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(untimed, stream), cudaSuccess);
    ASSERT_EQ(cudaEventSynchronize(untimed), cudaSuccess);
    EXPECT_EQ(cudaEventElapsedTime(&milliseconds, event, untimed), cudaErrorInvalidResourceHandle);
    EXPECT_EQ(cudaEventDestroy(untimed), cudaSuccess);
    cudaGetLastError();
}

TEST_F(Runtime, TheDefaultStreamOrdersBlockingStreams) {
    cudaStream_t blocking;
    ASSERT_EQ(cudaStreamCreate(&blocking), cudaSuccess);
    Gate gate;
    DeviceArray<float> x(std::vector<float>(64, 1.0f)), y(std::vector<float>(64, 0.0f));
    ASSERT_EQ(cudaLaunchHostFunc(blocking, Gate::wait, &gate), cudaSuccess);
    ASSERT_EQ(launch_axpy(y, x, 2.0f, 64, blocking), cudaSuccess);
    ASSERT_EQ(launch_axpy(x, y, 1.0f, 64, nullptr), cudaSuccess);
    ASSERT_EQ(launch_axpy(y, x, 1.0f, 64, blocking), cudaSuccess);
    gate.open = true;
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(x.host()[0], 3.0f);
    EXPECT_EQ(y.host()[0], 5.0f);
    EXPECT_EQ(cudaStreamDestroy(blocking), cudaSuccess);
}

TEST_F(Runtime, PinnedCopiesAreAsynchronousAndPageableOnesStaged) {
    Gate gate;
    std::vector<int> pageable(64, 7);
    int *pinned = nullptr;
    ASSERT_EQ(cudaMallocHost(reinterpret_cast<void **>(&pinned), 64 * sizeof(int)), cudaSuccess);
    std::fill(pinned, pinned + 64, 1);
    DeviceArray<int> first(64), second(64);
    ASSERT_EQ(cudaLaunchHostFunc(stream, Gate::wait, &gate), cudaSuccess);
    ASSERT_EQ(cudaMemcpyAsync(first, pinned, 256, cudaMemcpyHostToDevice, stream), cudaSuccess);
    ASSERT_EQ(cudaMemcpyAsync(second, pageable.data(), 256, cudaMemcpyHostToDevice, stream), cudaSuccess);
    pageable.assign(64, 8);
    gate.open = true;
    ASSERT_EQ(cudaMemcpyAsync(pinned, second, 256, cudaMemcpyDeviceToHost, stream), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(pinned[63], 7);
    EXPECT_EQ(first.host()[63], 1);
    cudaPointerAttributes attributes;
    EXPECT_EQ(cudaPointerGetAttributes(&attributes, pinned), cudaSuccess);
    EXPECT_EQ(attributes.type, cudaMemoryTypeHost);
    EXPECT_EQ(cudaPointerGetAttributes(&attributes, first), cudaSuccess);
    EXPECT_EQ(attributes.type, cudaMemoryTypeDevice);
    EXPECT_EQ(cudaPointerGetAttributes(&attributes, pageable.data()), cudaSuccess);
    EXPECT_EQ(attributes.type, cudaMemoryTypeUnregistered);
    EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
}

TEST_F(Runtime, RectanglesAndFills) {
    DeviceArray<unsigned char> array(std::vector<unsigned char>(64, 1));
    std::vector<unsigned char> host(64, 9);
    ASSERT_EQ(cudaMemcpy2D(array + 2, 16, host.data(), 8, 3, 4, cudaMemcpyHostToDevice), cudaSuccess);
    ASSERT_EQ(cudaMemset2DAsync(array + 8, 16, 5, 2, 4, stream), cudaSuccess);
    ASSERT_EQ(cudaMemsetAsync(array + 15, 6, 1, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    const std::vector<unsigned char> got = array.host();
    EXPECT_EQ(std::vector<unsigned char>(got.begin(), got.begin() + 16),
              (std::vector<unsigned char>{1, 1, 9, 9, 9, 1, 1, 1, 5, 5, 1, 1, 1, 1, 1, 6}));
    EXPECT_EQ(got[16 * 3 + 4], 9);
    EXPECT_EQ(got[16 * 3 + 5], 1);
}

TEST_F(Runtime, MemoryInTheStreamsOrder) {
    float *array = nullptr;
    ASSERT_EQ(cudaMallocAsync(reinterpret_cast<void **>(&array), 256, stream), cudaSuccess);
    ASSERT_EQ(cudaMemsetAsync(array, 0, 256, stream), cudaSuccess);
    ASSERT_EQ(cudaFreeAsync(array, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
}

TEST_F(Runtime, PeersExchangeMemory) {
    std::vector<int> values(64);
    std::iota(values.begin(), values.end(), 0);
    DeviceArray<int> mine(values);
    int *theirs = nullptr;
    ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
    ASSERT_EQ(cudaMalloc(reinterpret_cast<void **>(&theirs), 256), cudaSuccess);
    ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
    ASSERT_EQ(cudaMemcpyPeerAsync(theirs, 1, mine, 0, 256, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    std::vector<int> got(64);
    ASSERT_EQ(cudaMemcpy(got.data(), theirs, 256, cudaMemcpyDeviceToHost), cudaSuccess);
    EXPECT_EQ(got, values);
    EXPECT_EQ(cudaFree(theirs), cudaSuccess);
}

TEST_F(Runtime, AGraphReplaysKernelsCopiesAndFills) {
    DeviceArray<float> x(std::vector<float>(64, 1.0f)), y(std::vector<float>(64, 0.0f)), z(64);
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    cudaStreamCaptureStatus status;
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    ASSERT_EQ(launch_axpy(y, x, 1.0f, 64, stream), cudaSuccess);
    ASSERT_EQ(cudaMemcpyAsync(z, y, 256, cudaMemcpyDeviceToDevice, stream), cudaSuccess);
    ASSERT_EQ(launch_axpy(y, z, 1.0f, 64, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamIsCapturing(stream, &status), cudaSuccess);
    EXPECT_EQ(status, cudaStreamCaptureStatusActive);
    ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(y.host()[0], 0.0f) << "capturing must not run anything";
    ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
    ASSERT_EQ(cudaGraphDestroy(graph), cudaSuccess);
    for (int replay = 0; replay < 3; ++replay) ASSERT_EQ(cudaGraphLaunch(executable, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(y.host()[5], 14.0f); /* y <- 2 (y + 1), thrice */
    ASSERT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
}

TEST_F(Runtime, ACaptureForksAndJoinsByEvents) {
    DeviceArray<float> x(std::vector<float>(64, 1.0f)), y(std::vector<float>(64, 0.0f));
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(event, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamWaitEvent(other, event, 0), cudaSuccess);
    ASSERT_EQ(launch_axpy(y, x, 1.0f, 64, other), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(later, other), cudaSuccess);
    ASSERT_EQ(cudaStreamWaitEvent(stream, later, 0), cudaSuccess);
    ASSERT_EQ(launch_axpy(x, y, 1.0f, 64, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
    ASSERT_EQ(cudaGraphLaunch(executable, stream), cudaSuccess);
    ASSERT_EQ(cudaGraphLaunch(executable, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(x.host()[0], 5.0f); /* Fibonacci: y 1, x 2, y 3, x 5 */
    ASSERT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
    ASSERT_EQ(cudaGraphDestroy(graph), cudaSuccess);
}

TEST_F(Runtime, ABrokenCaptureIsReported) {
    cudaGraph_t graph;
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    void *memory = nullptr;
    EXPECT_EQ(cudaMalloc(&memory, 16), cudaErrorStreamCaptureUnsupported);
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated);
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorStreamCaptureUnsupported);
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated);
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(event, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamWaitEvent(other, event, 0), cudaSuccess);
    ASSERT_EQ(launch_number(nullptr, dim3(1), dim3(1), other), cudaSuccess);
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureUnjoined);
    cudaGetLastError();
}

TEST_F(Runtime, CublasMultiplies) {
    /* A is 2 x 3, column-major: [1 3 5; 2 4 6] */
    DeviceArray<double> a(std::vector<double>{1, 2, 3, 4, 5, 6}), x(std::vector<double>{1, 1, 1}),
        y(std::vector<double>{10, 20});
    DeviceArray<double> c(std::vector<double>(9));
    const double one = 1, half = 0.5, zero = 0;
    cublasHandle_t handle;
    ASSERT_EQ(cublasCreate(&handle), CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(cublasSetStream(handle, stream), CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(cublasDgemv(handle, CUBLAS_OP_N, 2, 3, &one, a, 2, x, 1, &half, y, 1), CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(cublasDgemv(handle, CUBLAS_OP_T, 2, 3, &one, a, 2, y, 1, &zero, x, 1), CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(cublasDgemm(handle, CUBLAS_OP_T, CUBLAS_OP_N, 3, 3, 2, &one, a, 2, a, 2, &zero, c, 3),
              CUBLAS_STATUS_SUCCESS);
    double norm = 0, dot = 0;
    ASSERT_EQ(cublasDnrm2(handle, 2, y, 1, &norm), CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(cublasDdot(handle, 2, y, 1, y, 1, &dot), CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(y.host(), (std::vector<double>{14, 22}));
    EXPECT_EQ(x.host(), (std::vector<double>{58, 130, 202}));
    EXPECT_EQ(c.host(), (std::vector<double>{5, 11, 17, 11, 25, 39, 17, 39, 61}));
    EXPECT_DOUBLE_EQ(dot, 14 * 14 + 22 * 22);
    EXPECT_DOUBLE_EQ(norm, std::sqrt(dot));
    ASSERT_EQ(cublasDestroy(handle), CUBLAS_STATUS_SUCCESS);
}

TEST_F(Runtime, AHostFileInCRunsUnchanged) { EXPECT_EQ(host_in_c_doubles(1000), 0); }

} // namespace
