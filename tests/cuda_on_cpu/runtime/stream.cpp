/* stream.cpp - streams and their threads; what the default stream orders; host functions. */
#include "stream.h"

#include <cstdio>
#include <map>
#include <thread>

#include "faults.h"
#include "graph.h"
#include "settings.h"

namespace cuda_on_cpu {
namespace {

struct Registry {
    std::mutex mutex;
    std::map<cudaStream_t, std::shared_ptr<Stream>> streams;
};

Registry &registry() {
    static Registry &only = *new Registry();
    return only;
}

cudaStream_t handle_of(Stream &stream) { return reinterpret_cast<cudaStream_t>(&stream); }

} // namespace

std::shared_ptr<Stream> Stream::create(Device &device, unsigned flags, int priority) {
    std::shared_ptr<Stream> stream(new Stream(device, flags, priority));
    std::thread([stream] { stream->loop(); }).detach(); /* the thread keeps its stream alive */
    return stream;
}

void Stream::loop() {
    for (;;) {
        Operation operation;
        {
            std::unique_lock<std::mutex> lock(queue_mutex_);
            queued_.wait(lock, [&] { return !queue_.empty() || closed_; });
            if (queue_.empty()) return;
            operation = std::move(queue_.front());
            queue_.pop_front();
        }
        delay(operation.name);
        if (device.sticky == cudaSuccess || operation.even_when_lost) operation.run();
        operation.run = nullptr; /* what it held is given back before anybody hears that it is done */
        std::lock_guard<std::mutex> lock(done_mutex_);
        ++completed_;
        done_.notify_all();
    }
}

uint64_t Stream::enqueue(Operation operation) {
    std::lock_guard<std::mutex> lock(queue_mutex_);
    queue_.push_back(std::move(operation));
    queued_.notify_all();
    return submitted_.fetch_add(1, std::memory_order_relaxed) + 1;
}

void Stream::submit(Operation operation) {
    if (capture) {
        capture->operations.push_back(std::move(operation));
        ++capture->members[this].operations;
        return;
    }
    order_with_default_stream();
    enqueue(std::move(operation));
}

/* The default stream waits for all blocking streams of its device, and they wait for it. */
void Stream::order_with_default_stream() {
    if (flags & cudaStreamNonBlocking) return;
    std::vector<std::shared_ptr<Stream>> others;
    {
        std::lock_guard<std::mutex> lock(device.mutex);
        if (!device.legacy) return;
        if (device.legacy.get() != this) {
            others.push_back(device.legacy);
        } else {
            for (const auto &weak : device.streams) {
                const auto other = weak.lock();
                if (other && other.get() != this && !(other->flags & cudaStreamNonBlocking)) others.push_back(other);
            }
        }
    }
    for (const auto &other : others) {
        const uint64_t ticket = other->submitted();
        if (!other->completed(ticket)) enqueue({"wait", [other, ticket] { other->wait(ticket); }, true});
    }
}

bool Stream::completed(uint64_t ticket) {
    std::lock_guard<std::mutex> lock(done_mutex_);
    return completed_ >= ticket;
}

void Stream::wait(uint64_t ticket) {
    std::unique_lock<std::mutex> lock(done_mutex_);
    done_.wait(lock, [&] { return completed_ >= ticket; });
}

void Stream::close() {
    std::lock_guard<std::mutex> lock(queue_mutex_);
    closed_ = true;
    queued_.notify_all();
}

std::shared_ptr<Stream> default_stream(Device &device) {
    std::lock_guard<std::mutex> lock(device.mutex);
    if (!device.legacy) {
        device.legacy = Stream::create(device, cudaStreamDefault, 0);
        device.streams.push_back(device.legacy);
    }
    return device.legacy;
}

std::shared_ptr<Stream> find_stream(cudaStream_t handle) {
    if (handle == nullptr || handle == cudaStreamLegacy) return default_stream(current_device());
    std::lock_guard<std::mutex> lock(registry().mutex);
    const auto found = registry().streams.find(handle);
    if (found != registry().streams.end()) return found->second;
    note(format("%p is not a stream (destroyed, or cudaStreamPerThread, which the stand-in lacks)", (void *)handle));
    return nullptr;
}

void close_all_streams() {
    std::lock_guard<std::mutex> lock(registry().mutex);
    for (auto &[handle, stream] : registry().streams) stream->close();
    registry().streams.clear();
}

int describe_streams(bool describe) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    for (const auto &[handle, stream] : registry().streams)
        if (describe)
            std::fprintf(stderr, "cuda_on_cpu: leak: stream %p of device %d\n", (void *)handle, stream->device.id);
    return int(registry().streams.size());
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

static cudaError_t create_stream(const char *name, cudaStream_t *handle, unsigned flags, int priority) {
    return api(name, cudaErrorMemoryAllocation, [&] {
        if (!handle || (flags & ~unsigned(cudaStreamNonBlocking))) return cudaErrorInvalidValue;
        Device &mine = current_device();
        std::shared_ptr<Stream> stream = Stream::create(mine, flags, priority);
        {
            std::lock_guard<std::mutex> lock(mine.mutex);
            mine.streams.push_back(stream);
        }
        std::lock_guard<std::mutex> lock(registry().mutex);
        *handle = handle_of(*stream);
        registry().streams[*handle] = std::move(stream);
        return cudaSuccess;
    });
}

cudaError_t cudaStreamCreate(cudaStream_t *stream) {
    return create_stream("cudaStreamCreate", stream, cudaStreamDefault, 0);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags) {
    return create_stream("cudaStreamCreateWithFlags", stream, flags, 0);
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *stream, unsigned flags, int priority) {
    return create_stream("cudaStreamCreateWithPriority", stream, flags, priority);
}

/* Returns at once; what was submitted is still carried out. Works on a lost device too. */
cudaError_t cudaStreamDestroy(cudaStream_t handle) {
    int chosen = cudaErrorInvalidResourceHandle;
    if (call_fails("cudaStreamDestroy", &chosen)) return record_error(cudaError_t(chosen));
    if (handle == nullptr) return record_error(cudaErrorInvalidResourceHandle);
    std::shared_ptr<Stream> stream = find_stream(handle);
    if (!stream) return record_error(cudaErrorInvalidResourceHandle);
    stream->close();
    std::lock_guard<std::mutex> lock(registry().mutex);
    registry().streams.erase(handle);
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
    return api("cudaStreamSynchronize", cudaErrorLaunchFailure, [&]() -> cudaError_t {
        return with_stream(handle, [&](Stream &stream) -> cudaError_t {
            if (const cudaError_t refused = refuse_if_captured(stream)) return refused;
            stream.wait(stream.submitted());
            return stream.device.sticky;
        });
    });
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
    return api("cudaStreamQuery", cudaErrorLaunchFailure, [&]() -> cudaError_t {
        return with_stream(handle, [&](Stream &stream) -> cudaError_t {
            if (const cudaError_t refused = refuse_if_captured(stream)) return refused;
            return stream.completed(stream.submitted()) ? stream.device.sticky.load() : cudaErrorNotReady;
        });
    });
}

cudaError_t cudaStreamGetFlags(cudaStream_t handle, unsigned *flags) {
    return api("cudaStreamGetFlags", cudaErrorInvalidValue, [&] {
        return with_stream(handle, [&](Stream &stream) { return *flags = stream.flags, cudaSuccess; });
    });
}

cudaError_t cudaStreamGetPriority(cudaStream_t handle, int *priority) {
    return api("cudaStreamGetPriority", cudaErrorInvalidValue, [&] {
        return with_stream(handle, [&](Stream &stream) { return *priority = stream.priority, cudaSuccess; });
    });
}

#if CUDART_VERSION >= 12080
cudaError_t cudaStreamGetDevice(cudaStream_t handle, int *id) {
    return api("cudaStreamGetDevice", cudaErrorInvalidValue, [&] {
        return with_stream(handle, [&](Stream &stream) { return *id = stream.device.id, cudaSuccess; });
    });
}
#endif

cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t function, void *data) {
    return api("cudaLaunchHostFunc", cudaErrorInvalidValue, [&] {
        return with_stream(handle, [&](Stream &stream) {
            if (!function) return cudaErrorInvalidValue;
            stream.submit({"hostfunc", [function, data] { function(data); }});
            return cudaSuccess;
        });
    });
}
