/* use.c - a fit through the installed library, from C: a small planted problem must come out as planted. */
#include <fitrelu.h>
#include <stdio.h>

int main(void) {
    fr_planted planted = {.samples = 500, .features = 20, .noise = 0, .seed = 7};
    fr_dataset *data = NULL;
    fr_solver *solver = NULL;
    fr_model *model = NULL;
    fr_error error = {.status = FR_OK};
    fr_options options;
    fr_result result;

    fr_options_default(&options);
    options.workers = 2;
    options.levels = 15;
    fr_status status = fr_dataset_generate(&planted, FR_F64, &data, &error);
    if (status == FR_OK) status = fr_solver_create(&options, data, &solver, &error);
    if (status == FR_OK) status = fr_solver_run(solver, &result, &error);
    if (status == FR_OK) status = fr_solver_model(solver, &model, &error);
    int failed = status != FR_OK;
    if (failed) {
        fprintf(stderr, "%s\n", error.message);
    } else {
        printf("fitrelu %s, relative error %.1e\n", fr_version(), result.relative_error);
        failed = !(result.relative_error < 1e-3) || fr_model_features(model) != 20;
    }
    fr_model_free(model);
    fr_solver_free(solver);
    fr_dataset_free(data);
    return failed;
}
