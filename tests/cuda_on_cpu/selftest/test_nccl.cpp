// test_nccl.cpp - collectives between threads of this process, and everything that can go wrong.
#include <gtest/gtest.h>
#include <nccl.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "cuda_on_cpu/control.h"
#include "device_array.h"
#include "kernels.h"

namespace {

/* What a rank's thread works with. */
struct Rank {
    int rank;
    ncclComm_t comm;
    cudaStream_t stream;
};

class Nccl : public ::testing::Test {
  protected:
    void TearDown() override {
        for (const char *variable : {"FAULT", "FAIL", "HANG", "DELAY", "NCCL_TIMEOUT"}) set(variable, nullptr);
        cuda_on_cpu_reset();
    }
    static void set(const char *variable, const char *value) {
        cuda_on_cpu_set((std::string("CUDA_ON_CPU_") + variable).c_str(), value);
    }
    static void on_threads(int ranks, const std::function<void(int)> &work) {
        std::vector<std::thread> threads;
        for (int r = 0; r < ranks; ++r) threads.emplace_back(work, r);
        for (std::thread &thread : threads) thread.join();
    }
    /* Each rank on its own thread, device and stream, as the project's own exchange works. */
    static void on_ranks(int ranks, const std::function<void(Rank &)> &work, bool destroy = true) {
        ncclUniqueId id;
        ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
        on_threads(ranks, [&](int r) {
            Rank self{r, nullptr, nullptr};
            ASSERT_EQ(cudaSetDevice(r), cudaSuccess);
            ASSERT_EQ(cudaStreamCreateWithFlags(&self.stream, cudaStreamNonBlocking), cudaSuccess);
            ASSERT_EQ(ncclCommInitRank(&self.comm, ranks, id, r), ncclSuccess);
            work(self);
            if (destroy) {
                EXPECT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
                EXPECT_EQ(ncclCommDestroy(self.comm), ncclSuccess);
            }
            EXPECT_EQ(cudaStreamDestroy(self.stream), cudaSuccess);
        });
    }
};

template <typename T>
std::vector<T> all_reduced(Rank &self, const std::vector<T> &values, ncclDataType_t type, ncclRedOp_t op) {
    DeviceArray<T> array(values);
    EXPECT_EQ(ncclAllReduce(array, array, values.size(), type, op, self.comm, self.stream), ncclSuccess);
    EXPECT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
    return array.host();
}

TEST_F(Nccl, AllReduceOfEveryType) {
    on_ranks(4, [](Rank &self) {
        const int r = self.rank;
        EXPECT_EQ(all_reduced<signed char>(self, {(signed char)(60 + r), (signed char)-r}, ncclInt8, ncclSum),
                  (std::vector<signed char>{-10, -6}))
            << "246 wraps to -10";
        EXPECT_EQ(all_reduced<unsigned char>(self, {(unsigned char)(100 + r)}, ncclUint8, ncclSum),
                  (std::vector<unsigned char>{150}));
        EXPECT_EQ(all_reduced<int>(self, {r, -r}, ncclInt32, ncclMax), (std::vector<int>{3, 0}));
        EXPECT_EQ(all_reduced<int>(self, {r - 2}, ncclInt32, ncclMin), (std::vector<int>{-2}));
        EXPECT_EQ(all_reduced<long long>(self, {1ll << (40 + r)}, ncclInt64, ncclSum),
                  (std::vector<long long>{15ll << 40}));
        EXPECT_EQ(all_reduced<float>(self, {float(r) + 0.5f}, ncclFloat32, ncclSum), (std::vector<float>{8.0f}));
        EXPECT_EQ(all_reduced<float>(self, {float(r)}, ncclFloat32, ncclAvg), (std::vector<float>{1.5f}));
        EXPECT_EQ(all_reduced<double>(self, {double(r) - 8}, ncclFloat64, ncclMax), (std::vector<double>{-5.0}));
        EXPECT_EQ(all_reduced<double>(self, {double(r + 1)}, ncclFloat64, ncclProd), (std::vector<double>{24.0}));
        EXPECT_EQ(all_reduced<unsigned short>(self, {0x3f80}, ncclBfloat16, ncclSum),
                  (std::vector<unsigned short>{0x4080}));
        EXPECT_EQ(all_reduced<unsigned short>(self, {0x3c00}, ncclFloat16, ncclSum),
                  (std::vector<unsigned short>{0x4400}));
    });
}

TEST_F(Nccl, GathersScattersAndBroadcasts) {
    on_ranks(4, [](Rank &self) {
        const int r = self.rank;
        DeviceArray<int> mine(std::vector<int>{r, 10 + r}), all(8), part(2),
            table(std::vector<int>{r, 1, 2, 3, 4, 5, 6, 7});
        ASSERT_EQ(ncclAllGather(mine, all, 2, ncclInt32, self.comm, self.stream), ncclSuccess);
        ASSERT_EQ(ncclReduceScatter(table, part, 2, ncclInt32, ncclSum, self.comm, self.stream), ncclSuccess);
        ASSERT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
        EXPECT_EQ(all.host(), (std::vector<int>{0, 10, 1, 11, 2, 12, 3, 13}));
        EXPECT_EQ(part.host(), r == 0 ? (std::vector<int>{6, 4}) : (std::vector<int>{8 * r, 8 * r + 4}));
        ASSERT_EQ(ncclBroadcast(mine, part, 2, ncclInt32, 2, self.comm, self.stream), ncclSuccess);
        ASSERT_EQ(ncclReduce(mine, mine, 2, ncclInt32, ncclSum, 1, self.comm, self.stream), ncclSuccess);
        ASSERT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
        EXPECT_EQ(part.host(), (std::vector<int>{2, 12}));
        EXPECT_EQ(mine.host(), r == 1 ? (std::vector<int>{6, 46}) : (std::vector<int>{r, 10 + r}));
    });
}

TEST_F(Nccl, GroupedSendsAndReceivesMakeAnAllToAll) {
    on_ranks(3, [](Rank &self) {
        std::vector<signed char> values;
        for (int to = 0; to < 3; ++to) values.push_back((signed char)(10 * self.rank + to));
        DeviceArray<signed char> out(values), in(3);
        ASSERT_EQ(ncclGroupStart(), ncclSuccess);
        for (int peer = 0; peer < 3; ++peer) {
            ASSERT_EQ(ncclSend(out + peer, 1, ncclInt8, peer, self.comm, self.stream), ncclSuccess);
            ASSERT_EQ(ncclRecv(in + peer, 1, ncclInt8, peer, self.comm, self.stream), ncclSuccess);
        }
        ASSERT_EQ(ncclGroupEnd(), ncclSuccess);
        ASSERT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
        const auto r = (signed char)self.rank;
        EXPECT_EQ(in.host(), (std::vector<signed char>{r, (signed char)(10 + r), (signed char)(20 + r)}));
    });
}

TEST_F(Nccl, OneThreadServesAllDevicesInAGroup) {
    ncclComm_t comms[4];
    cudaStream_t streams[4];
    int *arrays[4];
    ASSERT_EQ(ncclCommInitAll(comms, 4, nullptr), ncclSuccess);
    for (int d = 0; d < 4; ++d) {
        ASSERT_EQ(cudaSetDevice(d), cudaSuccess);
        ASSERT_EQ(cudaStreamCreate(&streams[d]), cudaSuccess);
        ASSERT_EQ(cudaMalloc(reinterpret_cast<void **>(&arrays[d]), 4), cudaSuccess);
        const int value = 1 << d;
        ASSERT_EQ(cudaMemcpy(arrays[d], &value, 4, cudaMemcpyHostToDevice), cudaSuccess);
        ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    }
    ASSERT_EQ(ncclGroupStart(), ncclSuccess);
    for (int d = 0; d < 4; ++d)
        ASSERT_EQ(ncclAllReduce(arrays[d], arrays[d], 1, ncclInt32, ncclSum, comms[d], streams[d]), ncclSuccess);
    ASSERT_EQ(ncclGroupEnd(), ncclSuccess);
    for (int d = 0; d < 4; ++d) {
        int value = 0, count = 0, device = -1, rank = -1;
        EXPECT_EQ(cudaStreamSynchronize(streams[d]), cudaSuccess);
        EXPECT_EQ(cudaMemcpy(&value, arrays[d], 4, cudaMemcpyDeviceToHost), cudaSuccess);
        EXPECT_EQ(value, 15);
        EXPECT_EQ(ncclCommCount(comms[d], &count), ncclSuccess);
        EXPECT_EQ(ncclCommCuDevice(comms[d], &device), ncclSuccess);
        EXPECT_EQ(ncclCommUserRank(comms[d], &rank), ncclSuccess);
        EXPECT_EQ(count, 4);
        EXPECT_EQ(device, d);
        EXPECT_EQ(rank, d);
        EXPECT_EQ(ncclCommFinalize(comms[d]), ncclSuccess);
        EXPECT_EQ(ncclCommDestroy(comms[d]), ncclSuccess);
    }
}

TEST_F(Nccl, UngroupedCallsOfOneThreadAreRefused) {
    ncclComm_t comms[2];
    cudaStream_t stream;
    ASSERT_EQ(ncclCommInitAll(comms, 2, nullptr), ncclSuccess);
    ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
    DeviceArray<int> array(std::vector<int>{1});
    ASSERT_EQ(ncclAllReduce(array, array, 1, ncclInt32, ncclSum, comms[0], stream), ncclSuccess);
    ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
    cudaStream_t second;
    ASSERT_EQ(cudaStreamCreate(&second), cudaSuccess);
    int *other = nullptr;
    ASSERT_EQ(cudaMalloc(reinterpret_cast<void **>(&other), 4), cudaSuccess);
    EXPECT_EQ(ncclAllReduce(other, other, 1, ncclInt32, ncclSum, comms[1], second), ncclInvalidUsage);
    EXPECT_NE(std::string(ncclGetLastError(comms[1])).find("outside a group"), std::string::npos);
    EXPECT_EQ(ncclCommAbort(comms[0]), ncclSuccess);
    EXPECT_EQ(ncclCommAbort(comms[1]), ncclSuccess);
    EXPECT_EQ(cudaFree(other), cudaSuccess);
    ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess) << "the abort wakes the stream";
}

TEST_F(Nccl, GraphsReplayCollectives) {
    on_ranks(4, [](Rank &self) {
        DeviceArray<float> y(std::vector<float>(64, 0.0f)), x(std::vector<float>(64, 1.0f));
        cudaGraph_t graph;
        cudaGraphExec_t executable;
        ASSERT_EQ(cudaStreamBeginCapture(self.stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
        ASSERT_EQ(launch_axpy(y, x, 1.0f, 64, self.stream), cudaSuccess);
        ASSERT_EQ(ncclAllReduce(y, y, 64, ncclFloat32, ncclSum, self.comm, self.stream), ncclSuccess);
        ASSERT_EQ(cudaStreamEndCapture(self.stream, &graph), cudaSuccess);
        ASSERT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
        for (int i = 0; i < 3; ++i) ASSERT_EQ(cudaGraphLaunch(executable, self.stream), cudaSuccess);
        ASSERT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
        EXPECT_EQ(y.host()[63], 84.0f); /* y <- 4 (y + 1), thrice */
        EXPECT_EQ(cudaGraphExecDestroy(executable), cudaSuccess);
        EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
    });
}

TEST_F(Nccl, NonBlockingInitialisationIsInProgressUntilAllCame) {
    ncclUniqueId id;
    ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    ncclComm_t first, second;
    ncclResult_t state;
    ASSERT_EQ(ncclCommInitRankConfig(&first, 2, id, 0, &config), ncclInProgress);
    ASSERT_EQ(ncclCommGetAsyncError(first, &state), ncclSuccess);
    EXPECT_EQ(state, ncclInProgress);
    ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
    ASSERT_EQ(ncclCommInitRankConfig(&second, 2, id, 1, &config), ncclInProgress);
    ASSERT_EQ(ncclCommGetAsyncError(first, &state), ncclSuccess);
    EXPECT_EQ(state, ncclSuccess);
    EXPECT_EQ(ncclCommDestroy(first), ncclSuccess);
    EXPECT_EQ(ncclCommDestroy(second), ncclSuccess);
    ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
}

TEST_F(Nccl, TwoRanksOnOneDeviceAreRefused) {
    ncclUniqueId id;
    ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
    on_threads(2, [&](int r) {
        ncclComm_t comm;
        EXPECT_EQ(ncclCommInitRank(&comm, 2, id, r), ncclInvalidUsage);
        EXPECT_NE(std::string(ncclGetLastError(nullptr)).find("duplicate device"), std::string::npos);
    });
}

TEST_F(Nccl, AMismatchBecomesAnAsynchronousErrorOfEveryRank) {
    set("FAULT", "sticky");
    on_ranks(
        2,
        [](Rank &self) {
            DeviceArray<int> array(std::vector<int>(4));
            ASSERT_EQ(ncclAllReduce(array, array, size_t(4 - self.rank), ncclInt32, ncclSum, self.comm, self.stream),
                      ncclSuccess);
            ASSERT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
            ncclResult_t state;
            ASSERT_EQ(ncclCommGetAsyncError(self.comm, &state), ncclSuccess);
            EXPECT_EQ(state, ncclInvalidUsage);
            EXPECT_NE(std::string(ncclGetLastError(self.comm)).find("collective mismatch"), std::string::npos);
            EXPECT_EQ(ncclCommAbort(self.comm), ncclSuccess);
        },
        false);
}

TEST_F(Nccl, AMissingRankIsNamedWhenTheTimeIsUp) {
    set("FAULT", "sticky");
    set("NCCL_TIMEOUT", "0.2");
    on_ranks(
        2,
        [](Rank &self) {
            DeviceArray<int> array(std::vector<int>(4));
            if (self.rank == 1) return;
            ASSERT_EQ(ncclAllReduce(array, array, 4, ncclInt32, ncclSum, self.comm, self.stream), ncclSuccess);
            ASSERT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
            ncclResult_t state;
            ASSERT_EQ(ncclCommGetAsyncError(self.comm, &state), ncclSuccess);
            EXPECT_EQ(state, ncclRemoteError);
            EXPECT_NE(std::string(ncclGetLastError(self.comm)).find("rank 1 did not come"), std::string::npos);
        },
        false);
}

TEST_F(Nccl, ARankThatNeverAnswersIsEndedByAborting) {
    set("HANG", "ncclAllReduce:1:2");
    on_ranks(
        2,
        [](Rank &self) {
            DeviceArray<int> array(std::vector<int>{1});
            ASSERT_EQ(ncclAllReduce(array, array, 1, ncclInt32, ncclSum, self.comm, self.stream), ncclSuccess);
            ASSERT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
            ASSERT_EQ(ncclAllReduce(array, array, 1, ncclInt32, ncclSum, self.comm, self.stream), ncclSuccess);
            for (int tries = 0; tries < 100; ++tries) {
                EXPECT_EQ(cudaStreamQuery(self.stream), cudaErrorNotReady);
                std::this_thread::yield();
            }
            EXPECT_EQ(ncclCommAbort(self.comm), ncclSuccess);
            EXPECT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
        },
        false);
}

TEST_F(Nccl, AnAsynchronousErrorReachesAllRanksOnRequest) {
    set("FAIL", "ncclAsync:3");
    on_ranks(
        2,
        [](Rank &self) {
            DeviceArray<int> array(std::vector<int>(4));
            ncclResult_t state = ncclSuccess;
            ASSERT_EQ(ncclAllReduce(array, array, 4, ncclInt32, ncclSum, self.comm, self.stream), ncclSuccess);
            ASSERT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
            ncclAllReduce(array, array, 4, ncclInt32, ncclSum, self.comm, self.stream);
            ASSERT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
            ASSERT_EQ(ncclCommGetAsyncError(self.comm, &state), ncclSuccess);
            EXPECT_EQ(state, ncclRemoteError);
            EXPECT_EQ(ncclAllReduce(array, array, 4, ncclInt32, ncclSum, self.comm, self.stream), ncclRemoteError);
            EXPECT_EQ(ncclCommAbort(self.comm), ncclSuccess);
        },
        false);
}

TEST_F(Nccl, CallsFailOnRequestAndBuffersAreChecked) {
    set("FAIL", "ncclAllReduce:2,ncclAllGather:1:3");
    on_ranks(1, [](Rank &self) {
        DeviceArray<int> array(std::vector<int>(4));
        int host[4] = {};
        EXPECT_EQ(ncclAllReduce(array, array, 4, ncclInt32, ncclSum, self.comm, self.stream), ncclSuccess);
        EXPECT_EQ(ncclAllReduce(array, array, 4, ncclInt32, ncclSum, self.comm, self.stream), ncclSystemError);
        EXPECT_EQ(ncclAllGather(array, array, 4, ncclInt32, self.comm, self.stream), ncclInternalError);
        EXPECT_EQ(ncclAllReduce(host, array, 4, ncclInt32, ncclSum, self.comm, self.stream), ncclInvalidArgument);
        EXPECT_NE(std::string(ncclGetLastError(self.comm)).find("host memory"), std::string::npos);
        EXPECT_EQ(ncclAllReduce(array, array, 5, ncclInt32, ncclSum, self.comm, self.stream), ncclInvalidArgument);
        EXPECT_EQ(ncclSend(array, 4, ncclInt32, 7, self.comm, self.stream), ncclInvalidArgument);
        int version = 0;
        EXPECT_EQ(ncclGetVersion(&version), ncclSuccess);
        EXPECT_EQ(version, NCCL_VERSION_CODE);
    });
}

TEST_F(Nccl, ResultsDoNotDependOnDelays) {
    set("DELAY", "ncclAllReduce:300,kernel:100");
    on_ranks(4, [](Rank &self) {
        DeviceArray<float> y(std::vector<float>(64, 0.0f)), x(std::vector<float>(64, float(self.rank)));
        for (int step = 0; step < 3; ++step) {
            ASSERT_EQ(launch_axpy(y, x, 1.0f, 64, self.stream), cudaSuccess);
            ASSERT_EQ(ncclAllReduce(y, y, 64, ncclFloat32, ncclSum, self.comm, self.stream), ncclSuccess);
        }
        ASSERT_EQ(cudaStreamSynchronize(self.stream), cudaSuccess);
        EXPECT_EQ(y.host()[0], 6.0f + 4 * 6.0f + 16 * 6.0f);
    });
}

} // namespace
