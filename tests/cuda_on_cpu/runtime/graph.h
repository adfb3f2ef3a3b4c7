/* graph.h - stream capture: operations go into a list instead of a queue; a launch replays the list.
 *
 * Streams that join a capture by waiting for one of its events add to the same list. It is replayed
 * in the order of capture on one stream, which is one of the orders that the graph allows.
 */
#pragma once

#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "stream.h"

namespace cuda_on_cpu {

struct Capture {
    struct Member {
        uint64_t operations = 0; /* captured on this stream */
        uint64_t joined = 0;     /* of those, how many some other member has waited for */
    };
    Stream *origin = nullptr;
    cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
    std::thread::id thread;
    std::vector<Operation> operations;
    std::map<Stream *, Member> members;
    bool invalid = false;
};

/* A call that a capture forbids (an allocation, a synchronous copy): cudaErrorStreamCapture... */
cudaError_t forbidden_by_capture();

/* Marks the stream's capture as broken and returns the error; cudaSuccess when it is not captured. */
cudaError_t refuse_if_captured(Stream &stream);

int describe_graphs(bool describe);
void forget_graphs();

} // namespace cuda_on_cpu
