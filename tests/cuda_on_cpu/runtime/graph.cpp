/* graph.cpp - capturing a stream into a graph, and launching what was captured. */
#include "graph.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <set>

#include "faults.h"
#include "settings.h"

/* A graph owns its list; an executable graph shares it, so either may be destroyed first. */
struct CUgraph_st {
    std::shared_ptr<const std::vector<cuda_on_cpu::Operation>> operations;
};
struct CUgraphExec_st {
    std::shared_ptr<const std::vector<cuda_on_cpu::Operation>> operations;
};

namespace cuda_on_cpu {
namespace {

struct Registry {
    std::mutex mutex;
    std::set<cudaGraph_t> graphs;
    std::set<cudaGraphExec_t> executables;
    std::vector<std::shared_ptr<Capture>> captures; /* those under way */
};

Registry &registry() {
    static Registry &only = *new Registry();
    return only;
}

bool stop_capturing(const std::shared_ptr<Capture> &capture) {
    for (auto &[stream, member] : capture->members) stream->capture = nullptr;
    std::lock_guard<std::mutex> lock(registry().mutex);
    auto &all = registry().captures;
    all.erase(std::remove(all.begin(), all.end(), capture), all.end());
    return true;
}

/* Every stream that joined must have been waited for, up to its last operation. */
bool all_joined(const Capture &capture) {
    for (const auto &[stream, member] : capture.members)
        if (stream != capture.origin && member.joined < member.operations) return false;
    return true;
}

} // namespace

cudaError_t forbidden_by_capture() {
    std::lock_guard<std::mutex> lock(registry().mutex);
    for (const auto &capture : registry().captures) {
        const bool mine = capture->thread == std::this_thread::get_id();
        if (capture->mode == cudaStreamCaptureModeRelaxed) continue;
        if (capture->mode == cudaStreamCaptureModeThreadLocal && !mine) continue;
        if (mine) capture->invalid = true;
        note("a call that synchronises or allocates came while a stream was being captured");
        return cudaErrorStreamCaptureUnsupported;
    }
    return cudaSuccess;
}

cudaError_t refuse_if_captured(Stream &stream) {
    if (!stream.capture) return cudaSuccess;
    stream.capture->invalid = true;
    return cudaErrorStreamCaptureUnsupported;
}

int describe_graphs(bool describe) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    const size_t graphs = registry().graphs.size(), executables = registry().executables.size();
    if (describe && graphs) std::fprintf(stderr, "cuda_on_cpu: leak: %zu graphs\n", graphs);
    if (describe && executables) std::fprintf(stderr, "cuda_on_cpu: leak: %zu executable graphs\n", executables);
    return int(graphs + executables);
}

void forget_graphs() {
    std::lock_guard<std::mutex> lock(registry().mutex);
    for (cudaGraph_t graph : registry().graphs) delete graph;
    for (cudaGraphExec_t executable : registry().executables) delete executable;
    registry().graphs.clear();
    registry().executables.clear();
    registry().captures.clear();
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
    return api("cudaStreamBeginCapture", cudaErrorStreamCaptureUnsupported, [&] {
        return with_stream(handle, [&](Stream &stream) {
            if (handle == nullptr || handle == cudaStreamLegacy) return cudaErrorStreamCaptureUnsupported;
            if (stream.capture) return cudaErrorIllegalState;
            auto capture = std::make_shared<Capture>();
            capture->origin = &stream;
            capture->mode = mode;
            capture->thread = std::this_thread::get_id();
            capture->members[&stream];
            stream.capture = capture;
            std::lock_guard<std::mutex> lock(registry().mutex);
            registry().captures.push_back(capture);
            return cudaSuccess;
        });
    });
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t *graph) {
    return api("cudaStreamEndCapture", cudaErrorStreamCaptureInvalidated, [&] {
        return with_stream(handle, [&](Stream &stream) {
            *graph = nullptr;
            const std::shared_ptr<Capture> capture = stream.capture;
            if (!capture) return cudaErrorIllegalState;
            if (capture->origin != &stream) return cudaErrorStreamCaptureUnmatched;
            if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id())
                return cudaErrorStreamCaptureWrongThread;
            stop_capturing(capture);
            if (capture->invalid) return cudaErrorStreamCaptureInvalidated;
            if (!all_joined(*capture)) return cudaErrorStreamCaptureUnjoined;
            *graph = new CUgraph_st{std::make_shared<std::vector<Operation>>(std::move(capture->operations))};
            std::lock_guard<std::mutex> lock(registry().mutex);
            registry().graphs.insert(*graph);
            return cudaSuccess;
        });
    });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus *status) {
    return api("cudaStreamIsCapturing", cudaErrorInvalidValue, [&] {
        return with_stream(handle, [&](Stream &stream) {
            *status = !stream.capture           ? cudaStreamCaptureStatusNone
                      : stream.capture->invalid ? cudaStreamCaptureStatusInvalidated
                                                : cudaStreamCaptureStatusActive;
            return cudaSuccess;
        });
    });
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode *mode) {
    *mode = cudaStreamCaptureModeGlobal; /* accepted; forbidden_by_capture looks at captures only */
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *executable, cudaGraph_t graph, unsigned long long) {
    return api("cudaGraphInstantiate", cudaErrorMemoryAllocation, [&] {
        std::lock_guard<std::mutex> lock(registry().mutex);
        if (!registry().graphs.count(graph)) return cudaErrorInvalidValue;
        *executable = new CUgraphExec_st{graph->operations};
        registry().executables.insert(*executable);
        return cudaSuccess;
    });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *executable, cudaGraph_t graph, unsigned long long flags) {
    return cudaGraphInstantiateWithFlags(executable, graph, flags);
}

/* Each operation is queued on its own, so that events and delays see them one by one. */
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t handle) {
    return api("cudaGraphLaunch", cudaErrorLaunchFailure, [&] {
        return with_stream(handle, [&](Stream &stream) {
            std::shared_ptr<const std::vector<Operation>> operations;
            {
                std::lock_guard<std::mutex> lock(registry().mutex);
                if (!registry().executables.count(executable)) return cudaErrorInvalidValue;
                operations = executable->operations;
            }
            for (const Operation &operation : *operations) stream.submit(operation);
            return cudaSuccess;
        });
    });
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return record_error(driver_state()); }

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *count) {
    return api("cudaGraphGetNodes", cudaErrorInvalidValue, [&] {
        if (nodes) return cudaErrorNotSupported; /* only their number is known here */
        *count = graph->operations->size();
        return cudaSuccess;
    });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    if (!registry().graphs.erase(graph)) return record_error(cudaErrorInvalidValue);
    delete graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    if (!registry().executables.erase(executable)) return record_error(cudaErrorInvalidValue);
    delete executable;
    return cudaSuccess;
}
