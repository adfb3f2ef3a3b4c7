/*
 * fit_rig.h - a whole small fit through the public interface, on so many pretended GPUs.
 */
#ifndef FR_TEST_FIT_RIG_H
#define FR_TEST_FIT_RIG_H

#include "cuda_rig.h"
#include "fitrelu.h"

namespace rig {

struct Fit {
    fr_status status = FR_OK;
    fr_error error = {};
    fr_result result = {};
    oracle::Vector weights;
};

struct Wanted {
    int workers = 4, levels = 0;
    fr_collective collective = FR_COLLECTIVE_ALLREDUCE;
    fr_precision precision = FR_F64;
    int64_t batch = 16, iterations = 40;
    bool intercept = false;
    int ensemble = 1;
    int64_t samples = 203, features = 37;
    fr_storage storage = FR_STORAGE_SAME;
    fr_wire wire = FR_WIRE_AUTO;
    double average = FR_AVERAGE_AUTO;
    fr_init init = FR_INIT_GRADIENT;
    bool plain_steps = false;
    double step_size = 0; /* 0: auto */
    const oracle::Problem *own = nullptr; /* data of one's own, in place of a planted problem, */
    const oracle::Vector *own_weights = nullptr; /* and the weights of its rows */
};

/* gpus 0: on the CPU. */
inline Fit fit_on(int gpus, const Wanted &wanted, double timeout = 10) {
    Fit fit;
    fr_planted planted = {wanted.samples, wanted.features, 0, 5};
    fr_dataset *set = nullptr;
    fr_solver *solver = nullptr;
    fr_model *model = nullptr;
    fr_options options;
    fr_options_default(&options);
    options.batch = wanted.batch, options.workers = wanted.workers, options.levels = wanted.levels;
    options.collective = wanted.collective, options.iterations = wanted.iterations, options.timeout = timeout;
    options.intercept = wanted.intercept, options.ensemble = wanted.ensemble, options.seed = 11, options.gpus = gpus;
    options.storage = wanted.storage, options.wire = wanted.wire, options.average = wanted.average;
    options.init = wanted.init, options.plain_steps = wanted.plain_steps;
    if (wanted.step_size > 0) options.step_rule = FR_STEP_NUMBER, options.step_size = wanted.step_size;
    if (wanted.own)
        EXPECT_EQ(fr_dataset_from_arrays(wanted.own->n, wanted.own->d, wanted.own->x.data(), wanted.own->y.data(),
                                         wanted.precision, &set, nullptr), FR_OK);
    else EXPECT_EQ(fr_dataset_generate(&planted, wanted.precision, &set, nullptr), FR_OK);
    if (wanted.own_weights) EXPECT_EQ(fr_dataset_set_weights(set, wanted.own_weights->data(), nullptr), FR_OK);
    fit.status = fr_solver_create(&options, set, &solver, &fit.error);
    if (fit.status == FR_OK) fit.status = fr_solver_run(solver, &fit.result, &fit.error);
    if (fit.status == FR_OK) fit.status = fr_solver_model(solver, &model, &fit.error);
    if (fit.status == FR_OK)
        fit.weights.assign(fr_model_weights(model), fr_model_weights(model) + fr_model_features(model));
    fr_model_free(model), fr_solver_free(solver), fr_dataset_free(set);
    return fit;
}

/* Those of 1, 2 and 4 GPUs that there are. */
inline std::vector<int> gpu_counts(int least = 1) {
    int devices = 0;
    std::vector<int> counts;
    fr_cuda_count(&devices, nullptr);
    for (int gpus : {1, 2, 4})
        if (gpus >= least && gpus <= devices) counts.push_back(gpus);
    return counts;
}

inline bool says(const Fit &fit, const char *words) { return std::strstr(fit.error.message, words) != nullptr; }

} // namespace rig
#endif
