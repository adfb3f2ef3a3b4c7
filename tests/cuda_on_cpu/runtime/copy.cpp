/* copy.cpp - copies and fills: checked against the table of allocations, then carried by a stream.
 *
 * Pinned memory is copied when the stream comes to it: a buffer reused too early is a real race.
 * Pageable memory behaves as CUDA documents: a copy from it reads it before the call returns, but even cudaMemcpy may
 * return while the bytes are still on their way to the device, for which other streams do not wait; a copy to it returns
 * when it is done.
 */
#include <cstring>
#include <memory>
#include <vector>

#include "device.h"
#include "faults.h"
#include "graph.h"
#include "memory.h"
#include "stream.h"

namespace cuda_on_cpu {
namespace {

/* A rectangle of `height` rows of `width` bytes; a plain copy is one row. */
struct Copy {
    char *to;
    size_t to_pitch;
    const char *from;
    size_t from_pitch, width, height;
    size_t to_bytes() const { return height ? (height - 1) * to_pitch + width : 0; }
    size_t from_bytes() const { return height ? (height - 1) * from_pitch + width : 0; }
    void run() const {
        for (size_t row = 0; row < height; ++row) std::memcpy(to + row * to_pitch, from + row * from_pitch, width);
    }
};

bool on_device(const Memory &memory) { return memory.kind == MemoryKind::device; }

const char *place(const Memory &memory) { return on_device(memory) ? "device" : "host"; }

/* `end` is "to" or "from": a side that the direction puts in the wrong place, or too short a side. */
bool side_is_wrong(const char *name, const char *end, const void *pointer, size_t bytes, const Memory &memory,
                   bool must_be_device, bool must_be_host) {
    if ((must_be_device && !on_device(memory)) || (must_be_host && on_device(memory))) {
        note(format("%s: wrong direction: %p, copied %s, is %s memory", name, pointer, end, place(memory)));
        return true;
    }
    if (memory.kind != MemoryKind::pageable &&
        static_cast<const char *>(pointer) + bytes > memory.start + memory.bytes) {
        note(format("%s: %zu bytes %s %p pass the end of its allocation of %zu bytes", name, bytes, end, pointer,
                    memory.bytes));
        return true;
    }
    return false;
}

bool copy_is_wrong(const char *name, const Copy &copy, cudaMemcpyKind kind) {
    const Memory to = find_memory(copy.to), from = find_memory(copy.from);
    const bool any = kind == cudaMemcpyDefault;
    const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    return side_is_wrong(name, "to", copy.to, copy.to_bytes(), to, !any && to_device, !any && !to_device) ||
           side_is_wrong(name, "from", copy.from, copy.from_bytes(), from, !any && from_device, !any && !from_device);
}

cudaError_t enqueue_copy(const char *name, const Copy &copy, cudaMemcpyKind kind, Stream &stream, bool synchronous) {
    if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) return cudaErrorInvalidMemcpyDirection;
    if (copy.width == 0 || copy.height == 0) return cudaSuccess;
    if (!copy.to || !copy.from || copy.width > copy.to_pitch || copy.width > copy.from_pitch)
        return cudaErrorInvalidValue;
    if (copy_is_wrong(name, copy, kind)) return cudaErrorInvalidValue;
    const bool from_pageable = find_memory(copy.from).kind == MemoryKind::pageable;
    const bool to_pageable = find_memory(copy.to).kind == MemoryKind::pageable;
    const bool returns_early = synchronous && from_pageable && on_device(find_memory(copy.to));
    if (returns_early) stream.wait(stream.submitted()); /* before the copy, not after it */
    if (from_pageable && (!synchronous || returns_early) && !stream.capture) {
        auto staged = std::make_shared<std::vector<char>>(copy.width * copy.height);
        Copy first = copy, second = copy;
        first.to = staged->data(), first.to_pitch = copy.width;
        first.run();
        second.from = staged->data(), second.from_pitch = copy.width;
        stream.submit({"memcpy", [second, staged] { second.run(); }});
    } else {
        stream.submit({"memcpy", [copy] { copy.run(); }});
    }
    if ((synchronous && !returns_early) || (to_pageable && !stream.capture)) stream.wait(stream.submitted());
    return stream.device.sticky;
}

cudaError_t copy_now(const char *name, const Copy &copy, cudaMemcpyKind kind) {
    return api(name, cudaErrorInvalidValue, [&] {
        if (const cudaError_t forbidden = forbidden_by_capture()) return forbidden;
        return enqueue_copy(name, copy, kind, *default_stream(current_device()), true);
    });
}

cudaError_t copy_later(const char *name, const Copy &copy, cudaMemcpyKind kind, cudaStream_t handle) {
    return api(name, cudaErrorInvalidValue, [&] {
        return with_stream(handle, [&](Stream &stream) { return enqueue_copy(name, copy, kind, stream, false); });
    });
}

cudaError_t enqueue_fill(const char *name, char *to, size_t pitch, int value, size_t width, size_t height,
                         Stream &stream) {
    if (width == 0 || height == 0) return cudaSuccess;
    if (!to || width > pitch) return cudaErrorInvalidValue;
    const std::string trouble = device_range_trouble(to, (height - 1) * pitch + width, stream.device.id);
    if (!trouble.empty()) {
        note(format("%s: %s", name, trouble.c_str()));
        return cudaErrorInvalidValue;
    }
    stream.submit({"memset", [=] {
                       for (size_t row = 0; row < height; ++row) std::memset(to + row * pitch, value, width);
                   }});
    return cudaSuccess;
}

Copy line(void *to, const void *from, size_t bytes) {
    return {static_cast<char *>(to), bytes, static_cast<const char *>(from), bytes, bytes, 1};
}

Copy rectangle(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width, size_t height) {
    return {static_cast<char *>(to), to_pitch, static_cast<const char *>(from), from_pitch, width, height};
}

} // namespace
} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
    return copy_now("cudaMemcpy", line(to, from, bytes), kind);
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
    return copy_later("cudaMemcpyAsync", line(to, from, bytes), kind, stream);
}

cudaError_t cudaMemcpy2D(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width, size_t height,
                         cudaMemcpyKind kind) {
    return copy_now("cudaMemcpy2D", rectangle(to, to_pitch, from, from_pitch, width, height), kind);
}

cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
    return copy_later("cudaMemcpy2DAsync", rectangle(to, to_pitch, from, from_pitch, width, height), kind, stream);
}

static bool peers_are_right(const char *name, const void *to, int to_device, const void *from, int from_device) {
    const Memory target = find_memory(to), source = find_memory(from);
    if (target.kind == MemoryKind::device && target.device == to_device && source.kind == MemoryKind::device &&
        source.device == from_device)
        return true;
    note(format("%s: the pointers are not memory of devices %d and %d", name, to_device, from_device));
    return false;
}

cudaError_t cudaMemcpyPeer(void *to, int to_device, const void *from, int from_device, size_t bytes) {
    if (bytes && !peers_are_right("cudaMemcpyPeer", to, to_device, from, from_device))
        return record_error(cudaErrorInvalidValue);
    return copy_now("cudaMemcpyPeer", line(to, from, bytes), cudaMemcpyDeviceToDevice);
}

cudaError_t cudaMemcpyPeerAsync(void *to, int to_device, const void *from, int from_device, size_t bytes,
                                cudaStream_t stream) {
    if (bytes && !peers_are_right("cudaMemcpyPeerAsync", to, to_device, from, from_device))
        return record_error(cudaErrorInvalidValue);
    return copy_later("cudaMemcpyPeerAsync", line(to, from, bytes), cudaMemcpyDeviceToDevice, stream);
}

cudaError_t cudaMemset(void *to, int value, size_t bytes) {
    return api("cudaMemset", cudaErrorInvalidValue, [&] {
        if (const cudaError_t forbidden = forbidden_by_capture()) return forbidden;
        Stream &stream = *default_stream(current_device());
        const cudaError_t error = enqueue_fill("cudaMemset", static_cast<char *>(to), bytes, value, bytes, 1, stream);
        if (error == cudaSuccess) stream.wait(stream.submitted());
        return error;
    });
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t handle) {
    return api("cudaMemsetAsync", cudaErrorInvalidValue, [&] {
        return with_stream(handle, [&](Stream &stream) {
            return enqueue_fill("cudaMemsetAsync", static_cast<char *>(to), bytes, value, bytes, 1, stream);
        });
    });
}

cudaError_t cudaMemset2DAsync(void *to, size_t pitch, int value, size_t width, size_t height, cudaStream_t handle) {
    return api("cudaMemset2DAsync", cudaErrorInvalidValue, [&] {
        return with_stream(handle, [&](Stream &stream) {
            return enqueue_fill("cudaMemset2DAsync", static_cast<char *>(to), pitch, value, width, height, stream);
        });
    });
}
