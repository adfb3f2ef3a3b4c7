/* stream.h - a stream: a queue of operations, and the host thread that carries them out in order.
 *
 * Each operation has a ticket, its number in the stream. Whoever must wait for something (an event,
 * a synchronisation, the default stream's rules) waits until a stream has completed a ticket.
 * Tickets are always of operations submitted earlier, so such waits cannot form a circle.
 */
#pragma once

#include <cuda_runtime_api.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "device.h"

namespace cuda_on_cpu {

struct Capture;

/* Something a stream does. Captured operations run many times, so run() must not consume itself. */
struct Operation {
    const char *name = ""; /* for delays: kernel, memcpy, memset, ncclAllReduce ... */
    std::function<void()> run;
    bool even_when_lost = false; /* runs although the device has a sticky error (events, frees) */
};

class Stream : public std::enable_shared_from_this<Stream> {
  public:
    static std::shared_ptr<Stream> create(Device &device, unsigned flags, int priority);

    /* Puts the operation at the end of the queue, or into the graph while the stream is captured. */
    void submit(Operation operation);
    /* Queue only, whatever is being captured. Returns the ticket. */
    uint64_t enqueue(Operation operation);

    uint64_t submitted() const { return submitted_.load(std::memory_order_relaxed); }
    bool completed(uint64_t ticket);
    void wait(uint64_t ticket);
    void close(); /* the thread ends when the queue is empty */

    Device &device;
    const unsigned flags;
    const int priority;
    std::shared_ptr<Capture> capture; /* guarded by the capturing thread's discipline, as CUDA's is */

  private:
    Stream(Device &device, unsigned flags, int priority) : device(device), flags(flags), priority(priority) {}
    void loop();
    void order_with_default_stream();

    /* Two locks, so that a host that waits is not thereby ordered before what the stream does next:
   * the thread sanitizer would miss a pinned buffer that is written too early. */
    std::mutex queue_mutex_, done_mutex_;
    std::condition_variable queued_, done_;
    std::deque<Operation> queue_;
    bool closed_ = false;
    std::atomic<uint64_t> submitted_{0};
    uint64_t completed_ = 0;
};

/* NULL and cudaStreamLegacy mean the current device's default stream. NULL result: no such stream. */
std::shared_ptr<Stream> find_stream(cudaStream_t handle);
std::shared_ptr<Stream> default_stream(Device &device);

/* Resolves the handle, then calls body(stream); an unknown handle is cudaErrorInvalidResourceHandle. */
template <typename Body> cudaError_t with_stream(cudaStream_t handle, Body body) {
    const std::shared_ptr<Stream> stream = find_stream(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (const cudaError_t lost = stream->device.sticky) return lost;
    return body(*stream);
}

void close_all_streams(); /* those of no device in particular: cuda_on_cpu_reset */
int describe_streams(bool describe);
int describe_events(bool describe);
void forget_events();

} // namespace cuda_on_cpu
