/* device_array.h - device memory for a test: filled from and read back to a std::vector. */
#pragma once

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <vector>

template <typename T> class DeviceArray {
  public:
    explicit DeviceArray(size_t count) : count_(count) {
        EXPECT_EQ(cudaMalloc(reinterpret_cast<void **>(&pointer_), count * sizeof(T)), cudaSuccess);
    }
    /* Waits until the values are there for every stream: cudaMemcpy alone may return before. */
    explicit DeviceArray(const std::vector<T> &values) : DeviceArray(values.size()) {
        EXPECT_EQ(cudaMemcpy(pointer_, values.data(), count_ * sizeof(T), cudaMemcpyHostToDevice), cudaSuccess);
        EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    }
    DeviceArray(const DeviceArray &) = delete;
    DeviceArray &operator=(const DeviceArray &) = delete;
    ~DeviceArray() { EXPECT_EQ(cudaFree(pointer_), cudaSuccess); }

    operator T *() const { return pointer_; }
    /* Waits for the device first. */
    std::vector<T> host() const {
        std::vector<T> values(count_);
        EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
        EXPECT_EQ(cudaMemcpy(values.data(), pointer_, count_ * sizeof(T), cudaMemcpyDeviceToHost), cudaSuccess);
        return values;
    }

  private:
    size_t count_;
    T *pointer_ = nullptr;
};
