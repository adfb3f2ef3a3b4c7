/* board.h - where the ranks of several processes meet: files of a directory (CUDA_ON_CPU_SHARED).
 *
 * What a rank has to say is a file of its own, which appears whole (written beside, then renamed) and is read by whoever
 * waits for its name. Nobody is told that a file has come; waiting is looking again after a short sleep, by the caller.
 */
#pragma once

#include <string>
#include <vector>

namespace cuda_on_cpu {

class Board {
  public:
    explicit Board(std::string prefix) : prefix_(std::move(prefix)) {}
    void publish(const std::string &name, const std::vector<char> &bytes) const;
    bool has(const std::string &name) const;
    bool read(const std::string &name, std::vector<char> *bytes) const; /* false: it has not come yet */
    void remove(const std::string &name) const;

  private:
    std::string prefix_; /* of the names of one communicator's files, with the directory */
};

} // namespace cuda_on_cpu
