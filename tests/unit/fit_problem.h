/*
 * fit_problem.h - a fit of a test's own rows by the library, on one thread.
 */
#ifndef FR_TEST_FIT_PROBLEM_H
#define FR_TEST_FIT_PROBLEM_H

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "fitrelu.h"
#include "oracle.h"

namespace oracle {

using Change = std::function<void(fr_options *)>;

struct Fitted {
    fr_status status = FR_OK;
    fr_error error = {};
    fr_result result = {};
    Vector weights; /* with the intercept behind them; none where the fit failed or diverged */
    std::vector<fr_left_out> left_out;
};

/* change: of the default options; u: weights of rows, NULL where all weigh alike. */
inline Fitted fit(const Problem &p, const Change &change = nullptr, const Vector *u = nullptr,
                  fr_precision precision = FR_F64) {
    Fitted out;
    fr_options options;
    fr_dataset *set = nullptr;
    fr_solver *solver = nullptr;
    fr_model *model = nullptr;
    fr_options_default(&options);
    options.threads = 1;
    if (change) change(&options);
    EXPECT_EQ(fr_dataset_from_arrays(p.n, p.d, p.x.data(), p.y.data(), precision, &set, &out.error), FR_OK)
        << out.error.message;
    if (u) EXPECT_EQ(fr_dataset_set_weights(set, u->data(), &out.error), FR_OK) << out.error.message;
    out.status = fr_solver_create(&options, set, &solver, &out.error);
    if (out.status == FR_OK) out.status = fr_solver_run(solver, &out.result, &out.error);
    if (out.status == FR_OK && out.result.outcome != FR_DIVERGED) {
        EXPECT_EQ(fr_solver_model(solver, &model, &out.error), FR_OK) << out.error.message;
        out.weights.assign(fr_model_weights(model), fr_model_weights(model) + p.d);
        out.weights.push_back(fr_model_intercept(model));
        for (int64_t j = 0; j < p.d; j++) out.left_out.push_back(fr_dataset_left_out(set, j));
    }
    fr_model_free(model);
    fr_solver_free(solver);
    fr_dataset_free(set);
    return out;
}

} // namespace oracle

#endif
