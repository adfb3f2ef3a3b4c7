/* Models: predictions in the user's units, round trips, and every damage refused. */
#include <cmath>

#include "fitrelu.h"
#include "oracle.h"
#include "scratch.h"

namespace {

class Model : public Scratch {
  protected:
    fr_dataset *set = nullptr;
    fr_model *model = nullptr;
    oracle::Problem p;

    /* Features of unequal scale and mean, so that standardizing has something to undo. */
    void fit(bool standardize, bool intercept) {
        fr_error error = {};
        fr_options options;
        fr_solver *solver = nullptr;
        fr_result result;
        p = oracle::random_problem(400, 4, 31);
        for (int64_t i = 0; i < p.n; i++) {
            double *x = p.x.data() + i * p.d;
            x[1] = 100 + 5 * x[1], x[2] *= 0.01;
            p.y[static_cast<size_t>(i)] = std::fmax(0.0, x[0] + 0.2 * (x[1] - 100) + 50 * x[2] + 0.5);
        }
        ASSERT_EQ(fr_dataset_from_arrays(p.n, p.d, p.x.data(), p.y.data(), FR_F64, &set, &error), FR_OK);
        fr_options_default(&options);
        options.standardize = standardize, options.intercept = intercept;
        ASSERT_EQ(fr_solver_create(&options, set, &solver, &error), FR_OK) << error.message;
        ASSERT_EQ(fr_solver_run(solver, &result, &error), FR_OK) << error.message;
        ASSERT_EQ(fr_solver_model(solver, &model, &error), FR_OK) << error.message;
        loss = result.loss;
        fr_solver_free(solver);
        fr_dataset_free(set);
        ASSERT_EQ(fr_dataset_from_arrays(p.n, p.d, p.x.data(), p.y.data(), FR_F64, &set, &error), FR_OK);
    }
    void TearDown() override {
        fr_dataset_free(set);
        fr_model_free(model);
        Scratch::TearDown();
    }
    double loss = NAN;
};

}  // namespace

TEST_F(Model, PredictsInTheUsersUnits) {
    for (bool standardize : {false, true})
        for (bool intercept : {false, true}) {
            fit(standardize, intercept);
            oracle::Vector out(static_cast<size_t>(p.n));
            ASSERT_EQ(fr_model_predict(model, set, out.data(), nullptr), FR_OK);
            const double *w = fr_model_weights(model);
            double sum = 0;
            for (int64_t i = 0; i < p.n; i++) {
                double z = std::fmax(0.0, oracle::dot(w, p.row(i), p.d) + fr_model_intercept(model));
                EXPECT_NEAR(out[static_cast<size_t>(i)], z, 1e-9 * (1 + z));
                sum += (z - p.y[static_cast<size_t>(i)]) * (z - p.y[static_cast<size_t>(i)]);
            }
            EXPECT_NEAR(sum / static_cast<double>(p.n), loss, 1e-9 + 1e-6 * loss);
            if (intercept) { /* the true unit is within reach */
                EXPECT_LT(loss, 1e-3);
                EXPECT_NEAR(w[1], 0.2, 0.02);
                EXPECT_NEAR(w[2], 50, 2);
            }
            EXPECT_EQ(fr_model_features(model), 4);
            fr_model_free(model);
            fr_dataset_free(set);
            model = nullptr, set = nullptr;
        }
}

TEST_F(Model, SurvivesTheFileToTheBit) {
    fit(true, true);
    ASSERT_EQ(fr_model_write(model, at("m").c_str(), nullptr), FR_OK);
    fr_model *back = nullptr;
    ASSERT_EQ(fr_model_read(at("m").c_str(), &back, nullptr), FR_OK);
    for (int64_t j = 0; j < 4; j++) EXPECT_EQ(fr_model_weights(back)[j], fr_model_weights(model)[j]);
    EXPECT_EQ(fr_model_intercept(back), fr_model_intercept(model));
    fr_model_free(back);
}

/* Any byte changed, any cut, any file of another kind: refused, and nothing is returned. */
TEST_F(Model, DamageIsRefused) {
    fit(false, true);
    ASSERT_EQ(fr_model_write(model, at("m").c_str(), nullptr), FR_OK);
    const std::string bytes = read("m");
    auto status_of = [&](const std::string &content) {
        fr_error error = {};
        fr_model *back = nullptr;
        fr_status status = fr_model_read(write("damaged", content).c_str(), &back, &error);
        EXPECT_EQ(back, nullptr);
        EXPECT_NE(error.message[0], '\0');
        return status;
    };
    for (size_t i = 0; i < bytes.size(); i++) {
        std::string changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ 0x20);
        ASSERT_EQ(status_of(changed), FR_ERROR_DATA) << "byte " << i;
    }
    for (size_t length = 0; length < bytes.size(); length += 7) ASSERT_EQ(status_of(bytes.substr(0, length)), FR_ERROR_DATA);
    EXPECT_EQ(status_of(bytes + "x"), FR_ERROR_DATA);
    EXPECT_EQ(status_of("x1,x2,y\n1,2,3\n"), FR_ERROR_DATA);
    fr_model *back = nullptr;
    EXPECT_EQ(fr_model_read(at("missing").c_str(), &back, nullptr), FR_ERROR);
    EXPECT_EQ(fr_model_read(folder.c_str(), &back, nullptr), FR_ERROR);
}

TEST_F(Model, RefusesRowsOfAnotherWidth) {
    fit(false, false);
    const double rows[] = {1, 2, 3};
    fr_dataset *narrow = nullptr;
    fr_error error = {};
    ASSERT_EQ(fr_dataset_from_arrays(1, 3, rows, nullptr, FR_F64, &narrow, nullptr), FR_OK);
    double out;
    EXPECT_EQ(fr_model_predict(model, narrow, &out, &error), FR_ERROR_DATA);
    EXPECT_NE(std::string(error.message).find("3 features, the model 4"), std::string::npos) << error.message;
    fr_dataset_free(narrow);
}
