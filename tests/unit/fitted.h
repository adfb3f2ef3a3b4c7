/*
 * fitted.h - a model that a test fits or reads.
 */
#ifndef FR_TEST_FITTED_H
#define FR_TEST_FITTED_H

#include <gtest/gtest.h>

#include <string>

#include "fitrelu.h"

struct Fitted {
    fr_model *model = nullptr;
    Fitted() = default;
    explicit Fitted(const std::string &path) { EXPECT_EQ(fr_model_read(path.c_str(), &model, nullptr), FR_OK); }
    ~Fitted() { fr_model_free(model); }
    Fitted(const Fitted &) = delete;
    Fitted &operator=(const Fitted &) = delete;
    void fit(fr_dataset *set) {
        fr_options options;
        fr_solver *solver = nullptr;
        fr_result result;
        fr_options_default(&options);
        ASSERT_EQ(fr_solver_create(&options, set, &solver, nullptr), FR_OK);
        ASSERT_EQ(fr_solver_run(solver, &result, nullptr), FR_OK);
        ASSERT_EQ(fr_solver_model(solver, &model, nullptr), FR_OK);
        fr_solver_free(solver);
    }
};

#endif
