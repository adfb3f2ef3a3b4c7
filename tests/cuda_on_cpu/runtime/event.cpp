/* event.cpp - events: a ticket of a stream and the moment at which it was reached. */
#include <chrono>
#include <cstdio>
#include <map>

#include "faults.h"
#include "graph.h"
#include "settings.h"
#include "stream.h"

namespace cuda_on_cpu {
namespace {

using Moment = std::chrono::steady_clock::time_point;

/* One recording. The stream's thread writes the moment before it completes the ticket. */
struct Recording {
    std::shared_ptr<Stream> stream;
    uint64_t ticket = 0;
    Moment moment;
};

struct Event {
    int device = 0;
    unsigned flags = 0;
    std::mutex mutex; /* guards what follows: a replayed graph records too */
    std::shared_ptr<Recording> last;
    std::weak_ptr<Capture> capture; /* set while it was last recorded in a capture */
    Stream *captured_on = nullptr;
    uint64_t captured_operations = 0;
};

struct Registry {
    std::mutex mutex;
    std::map<cudaEvent_t, std::shared_ptr<Event>> events;
};

Registry &registry() {
    static Registry &only = *new Registry();
    return only;
}

std::shared_ptr<Event> find_event(cudaEvent_t handle) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    const auto found = registry().events.find(handle);
    if (found != registry().events.end()) return found->second;
    note(format("%p is not an event", (void *)handle));
    return nullptr;
}

template <typename Body> cudaError_t with_event(cudaEvent_t handle, Body body) {
    const std::shared_ptr<Event> event = find_event(handle);
    return event ? body(*event, event) : cudaErrorInvalidResourceHandle;
}

std::shared_ptr<Recording> last_recording(Event &event) {
    std::lock_guard<std::mutex> lock(event.mutex);
    return event.last;
}

/* Queues the operation that notes the time. Holding the event's lock keeps two recordings apart. */
void record(Event &event, Stream &stream) {
    auto recording = std::make_shared<Recording>();
    recording->stream = stream.shared_from_this();
    std::lock_guard<std::mutex> lock(event.mutex);
    stream.submit({"event", [recording] { recording->moment = std::chrono::steady_clock::now(); }, true});
    recording->ticket = stream.submitted();
    event.last = recording;
    event.capture.reset();
}

/* Inside a capture an event only marks a place; with cudaEventRecordExternal it is really recorded
 * at every replay. */
void record_in_capture(Event &event, const std::shared_ptr<Event> &shared, Stream &stream, bool external) {
    if (external) {
        stream.submit({"event",
                       [shared] {
                           auto recording = std::make_shared<Recording>();
                           recording->moment = std::chrono::steady_clock::now();
                           std::lock_guard<std::mutex> lock(shared->mutex);
                           shared->last = recording;
                       },
                       true});
        return;
    }
    std::lock_guard<std::mutex> lock(event.mutex);
    event.capture = stream.capture;
    event.captured_on = &stream;
    event.captured_operations = stream.capture->members[&stream].operations;
}

cudaError_t wait_in_capture(Event &event, Stream &stream) {
    std::lock_guard<std::mutex> lock(event.mutex);
    const std::shared_ptr<Capture> capture = event.capture.lock();
    if (!capture)
        return stream.capture ? (stream.capture->invalid = true, cudaErrorStreamCaptureIsolation) : cudaSuccess;
    if (stream.capture && stream.capture != capture) return cudaErrorStreamCaptureMerge;
    stream.capture = capture;
    capture->members[&stream];
    Capture::Member &source = capture->members[event.captured_on];
    source.joined = std::max(source.joined, event.captured_operations);
    return cudaSuccess;
}

bool captured(Event &event) {
    std::lock_guard<std::mutex> lock(event.mutex);
    return !event.capture.expired();
}

} // namespace

int describe_events(bool describe) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    for (const auto &[handle, event] : registry().events)
        if (describe)
            std::fprintf(stderr, "cuda_on_cpu: leak: event %p of device %d\n", (void *)handle, event->device);
    return int(registry().events.size());
}

void forget_events() {
    std::lock_guard<std::mutex> lock(registry().mutex);
    registry().events.clear();
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *handle, unsigned flags) {
    return api("cudaEventCreate", cudaErrorMemoryAllocation, [&] {
        auto event = std::make_shared<Event>();
        event->device = current_device().id;
        event->flags = flags;
        *handle = reinterpret_cast<cudaEvent_t>(event.get());
        std::lock_guard<std::mutex> lock(registry().mutex);
        registry().events[*handle] = event;
        return cudaSuccess;
    });
}

cudaError_t cudaEventCreate(cudaEvent_t *handle) { return cudaEventCreateWithFlags(handle, cudaEventDefault); }

cudaError_t cudaEventDestroy(cudaEvent_t handle) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    return record_error(registry().events.erase(handle) ? cudaSuccess : cudaErrorInvalidResourceHandle);
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t handle, cudaStream_t stream_handle, unsigned flags) {
    return api("cudaEventRecord", cudaErrorLaunchFailure, [&] {
        return with_stream(stream_handle, [&](Stream &stream) {
            return with_event(handle, [&](Event &event, const std::shared_ptr<Event> &shared) {
                if (event.device != stream.device.id) {
                    note(format("cudaEventRecord: an event of device %d on a stream of device %d", event.device,
                                stream.device.id));
                    return cudaErrorInvalidResourceHandle;
                }
                if (stream.capture) record_in_capture(event, shared, stream, flags & cudaEventRecordExternal);
                else record(event, stream);
                return cudaSuccess;
            });
        });
    });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    return cudaEventRecordWithFlags(event, stream, 0);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream_handle, cudaEvent_t handle, unsigned) {
    return api("cudaStreamWaitEvent", cudaErrorLaunchFailure, [&] {
        return with_stream(stream_handle, [&](Stream &stream) {
            return with_event(handle, [&](Event &event, const std::shared_ptr<Event> &) {
                if (stream.capture || captured(event)) return wait_in_capture(event, stream);
                const std::shared_ptr<Recording> last = last_recording(event);
                if (last && last->stream) stream.submit({"wait", [last] { last->stream->wait(last->ticket); }, true});
                return cudaSuccess;
            });
        });
    });
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
    return api("cudaEventQuery", cudaErrorLaunchFailure, [&] {
        return with_event(handle, [&](Event &event, const std::shared_ptr<Event> &) -> cudaError_t {
            if (captured(event)) return cudaErrorCapturedEvent;
            const std::shared_ptr<Recording> last = last_recording(event);
            if (last && last->stream && !last->stream->completed(last->ticket)) return cudaErrorNotReady;
            return device(event.device).sticky;
        });
    });
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
    return api("cudaEventSynchronize", cudaErrorLaunchFailure, [&] {
        return with_event(handle, [&](Event &event, const std::shared_ptr<Event> &) -> cudaError_t {
            if (captured(event)) return cudaErrorCapturedEvent;
            const std::shared_ptr<Recording> last = last_recording(event);
            if (last && last->stream) last->stream->wait(last->ticket);
            return device(event.device).sticky;
        });
    });
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t start_handle, cudaEvent_t end_handle) {
    return api("cudaEventElapsedTime", cudaErrorInvalidValue, [&] {
        return with_event(start_handle, [&](Event &start, const std::shared_ptr<Event> &) {
            return with_event(end_handle, [&](Event &end, const std::shared_ptr<Event> &) {
                const std::shared_ptr<Recording> from = last_recording(start), to = last_recording(end);
                if ((start.flags | end.flags) & cudaEventDisableTiming) return cudaErrorInvalidResourceHandle;
                if (!from || !to || start.device != end.device) return cudaErrorInvalidResourceHandle;
                for (const auto &each : {from, to})
                    if (each->stream && !each->stream->completed(each->ticket)) return cudaErrorNotReady;
                *milliseconds = std::chrono::duration<float, std::milli>(to->moment - from->moment).count();
                return cudaSuccess;
            });
        });
    });
}
