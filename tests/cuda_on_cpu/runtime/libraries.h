/* libraries.h - what the runtime must know of the stand-ins for NCCL and cuBLAS, which are shared libraries of their own
 * where a test wants them to be found as the real ones are.
 */
#pragma once

namespace cuda_on_cpu {

/* Each tells of itself when it is loaded. */
struct Library {
    void (*forget)();               /* everything that is left of it, without waiting for other ranks */
    int (*describe)(bool describe); /* how many of its objects live */
};
bool register_library(const Library &library); /* control.cpp; true */

void check_leaks_at_exit(); /* control.cpp; registered by settings.cpp at the first use of anything */

} // namespace cuda_on_cpu
