// use.cpp - the installed library from C++, on arrays of the caller's own.
#include <cmath>
#include <cstdio>
#include <fitrelu.h>
#include <memory>
#include <vector>

int main() {
    // y = max(0, 2 x1 - x2) on a grid.
    std::vector<double> rows, labels;
    for (int i = -10; i <= 10; i++)
        for (int j = -10; j <= 10; j++) {
            double a = i / 5.0, b = j / 5.0;
            rows.insert(rows.end(), {a, b});
            labels.push_back(std::fmax(0, 2 * a - b));
        }
    fr_error error{};
    fr_options options;
    fr_options_default(&options);
    options.batch = FR_BATCH_FULL;

    fr_dataset *data = nullptr;
    fr_solver *solver = nullptr;
    fr_model *model = nullptr;
    fr_result result{};
    fr_status status = fr_dataset_from_arrays(static_cast<int64_t>(labels.size()), 2, rows.data(), labels.data(), FR_F64,
                                              &data, &error);
    std::unique_ptr<fr_dataset, decltype(&fr_dataset_free)> own_data(data, fr_dataset_free);
    if (status == FR_OK) status = fr_solver_create(&options, data, &solver, &error);
    std::unique_ptr<fr_solver, decltype(&fr_solver_free)> own_solver(solver, fr_solver_free);
    if (status == FR_OK) status = fr_solver_run(solver, &result, &error);
    if (status == FR_OK) status = fr_solver_model(solver, &model, &error);
    std::unique_ptr<fr_model, decltype(&fr_model_free)> own_model(model, fr_model_free);
    if (status != FR_OK) {
        std::fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    const double *w = fr_model_weights(model);
    std::printf("fitrelu %s, w = %.3f %.3f\n", fr_version(), w[0], w[1]);
    return std::fabs(w[0] - 2) < 0.05 && std::fabs(w[1] + 1) < 0.05 ? 0 : 1;
}
