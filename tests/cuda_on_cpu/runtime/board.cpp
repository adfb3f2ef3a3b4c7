/* board.cpp - files that appear whole. */
#include "board.h"

#include <unistd.h>

#include <cstdio>

#include "faults.h"

namespace cuda_on_cpu {

void Board::publish(const std::string &name, const std::vector<char> &bytes) const {
    const std::string path = prefix_ + name, beside = path + ".part";
    FILE *file = std::fopen(beside.c_str(), "wb");
    bool good = file && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
    good = file && std::fclose(file) == 0 && good;
    if (!good || std::rename(beside.c_str(), path.c_str()) != 0) fault("cannot write " + path);
}

bool Board::has(const std::string &name) const { return access((prefix_ + name).c_str(), F_OK) == 0; }

bool Board::read(const std::string &name, std::vector<char> *bytes) const {
    FILE *file = std::fopen((prefix_ + name).c_str(), "rb");
    if (!file) return false;
    char buffer[4096];
    bytes->clear();
    for (size_t got; (got = std::fread(buffer, 1, sizeof buffer, file)) > 0;)
        bytes->insert(bytes->end(), buffer, buffer + got);
    std::fclose(file);
    return true;
}

void Board::remove(const std::string &name) const { unlink((prefix_ + name).c_str()); }

} // namespace cuda_on_cpu
