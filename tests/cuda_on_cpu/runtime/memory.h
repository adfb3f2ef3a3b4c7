/* memory.h - the table of allocations, against which every pointer is checked.
 *
 * Device memory is ordinary memory here, so only this table knows what a GPU would refuse: a host
 * pointer in a kernel, a copy in the wrong direction, a range past an allocation's end.
 */
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

namespace cuda_on_cpu {

enum class MemoryKind { pageable, pinned, registered, device };

struct Memory {
    MemoryKind kind = MemoryKind::pageable; /* what is in no allocation */
    int device = -1;
    const char *start = nullptr;
    size_t bytes = 0;
};

/* The allocation that holds the address. An address just past an end belongs to it, for empty slices. */
Memory find_memory(const void *address);

cudaError_t allocate_device(void **pointer, size_t bytes, int device);
cudaError_t free_device(void *pointer);

size_t memory_used(int device);

/* Empty if [pointer, pointer + bytes) lies in device memory that `device` can reach or in pinned
 * memory; otherwise what is wrong with it. */
std::string device_range_trouble(const void *pointer, size_t bytes, int device);

/* Frees all that belongs to the device (pinned memory, for -1). */
void free_everything(int device);
int describe_allocations(bool describe);

} // namespace cuda_on_cpu
