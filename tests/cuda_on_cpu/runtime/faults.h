/* faults.h - how the stand-in speaks: notes that explain a refused call, and faults.
 *
 * A note is one line on stderr beside an error code that the caller gets. A fault is what would be
 * undefined behaviour or a dead kernel on a GPU: the process aborts with one line, or, with
 * CUDA_ON_CPU_FAULT=sticky, the line is printed and the device keeps the error until it is reset.
 */
#pragma once

#include <string>

namespace cuda_on_cpu {

std::string format(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* Prints "cuda_on_cpu: ..." and remembers it for cuda_on_cpu_last_note(). */
void note(const std::string &text);
const char *last_note();

/* Prints the line; aborts unless faults are sticky. Returns in that case: the caller gives up its
 * kernel or collective and records the error. */
void fault(const std::string &text);

} // namespace cuda_on_cpu
