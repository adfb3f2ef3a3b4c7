/*
 * Checkpoints: whatever state stands in one of the right run, under a right checksum, is refused in one line, or the run
 * goes on from it and ends, with a loss and weights that are finite or the word that they are not.
 *
 * A good checkpoint is made first; the input says which of its bytes are others: pairs of a place and a value.
 */
#include "held_file.h"

#include <cmath>
#include <fstream>
#include <iterator>

#include "fitrelu.h"

extern "C" {
#include "base/checksum.h"
#include "plan/description.h"
}

namespace {

const double rows[] = {1, 2, -1, 1, 0.5, -2, 2, 0.25, -1, -1, 1, -1, 0.75, 3, -2, 0.5};
const double labels[] = {1, 0.5, 0, 2, 0, 1, 3, 0};

fr_status fit(const char *checkpoint, const char *resume, fr_result *result, fr_error *error) {
    fr_options options;
    fr_dataset *set = nullptr;
    fr_solver *solver = nullptr;
    fr_options_default(&options);
    options.threads = 1, options.iterations = 40, options.report_every = 10;
    options.checkpoint = checkpoint, options.resume = resume;
    fr_status status = fr_dataset_from_arrays(8, 2, rows, labels, FR_F64, &set, error);
    if (status == FR_OK) status = fr_solver_create(&options, set, &solver, error);
    if (status == FR_OK) status = fr_solver_run(solver, result, error);
    if (status == FR_OK && result->outcome != FR_DIVERGED && result->outcome != FR_DEAD)
        must(std::isfinite(result->loss), "a loss that is not finite passed as a result");
    fr_solver_free(solver);
    fr_dataset_free(set);
    return status;
}

const std::string &good_one() {
    static const std::string all = [] {
        char path[] = "/tmp/fitrelu-fuzz-XXXXXX";
        fr_result result = {};
        fr_error error = {};
        int descriptor = mkstemp(path);
        must(descriptor >= 0 && fit(path, nullptr, &result, &error) == FR_OK, "the first fit failed");
        close(descriptor);
        std::ifstream file(path, std::ios::binary);
        std::string read((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        unlink(path);
        return read;
    }();
    return all;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    std::string all = good_one();
    const size_t state = 24 + FR_DESCRIPTION_SIZE, end = all.size() - sizeof(uint64_t);
    for (size_t i = 0; i + 1 < size; i += 2) /* the description is another run's as soon as it differs */
        all[state + bytes[i] % (end - state)] = (char)bytes[i + 1];
    const uint64_t sum = fr_checksum(all.data(), end);
    std::memcpy(&all[end], &sum, sizeof sum);
    const HeldFile file(all.data(), all.size());
    fr_result result = {};
    fr_error error = {};
    must_be_told(fit(nullptr, file.path(), &result, &error), error);
    return 0;
}
