/*
 * Files of weights to start from (--init FILE): text, NPY or a model of any bytes is refused in one line, or holds a finite
 * weight for each feature.
 */
#include "held_file.h"

#include <cmath>

extern "C" {
#include "fitting/start_file.h"
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    const double rows[] = {1, 2, 3, 4, 5, 6}, labels[] = {1, 2};
    const HeldFile file(bytes, size);
    fr_dataset *set = nullptr;
    double *weights = nullptr, intercept = 0;
    fr_error error = {};
    must(fr_dataset_from_arrays(2, 3, rows, labels, FR_F64, &set, &error) == FR_OK, "the rows were refused");
    fr_status status = start_file_read(file.path(), set, &weights, &intercept, &error);
    must_be_told(status, error);
    for (int j = 0; status == FR_OK && j < 3; j++) must(std::isfinite(weights[j]), "a weight that is not finite");
    must(std::isfinite(intercept), "an intercept that is not finite");
    free(weights);
    fr_dataset_free(set);
    return 0;
}
