/*
 * Models: any bytes, and any content under a right checksum (which bytes found by chance never have), are refused in one
 * line, or the model can be written and read again with the same bits.
 */
#include "held_file.h"

#include <cmath>

#include "fitrelu.h"

extern "C" {
#include "base/checksum.h"
}

namespace {

/* The bytes with the size and the checksum of a sealed file (base/sealed_file.c) put right. */
std::string sealed(const uint8_t *bytes, size_t size) {
    std::string all(reinterpret_cast<const char *>(bytes), size);
    const uint32_t kind = FR_CHECKSUM;
    const uint64_t content = size - 24;
    std::memcpy(&all[12], &kind, sizeof kind);
    std::memcpy(&all[16], &content, sizeof content);
    const uint64_t sum = fr_checksum(all.data(), all.size());
    return all.append(reinterpret_cast<const char *>(&sum), sizeof sum);
}

void try_model(const std::string &content) {
    const HeldFile file(content.data(), content.size());
    fr_model *model = nullptr;
    fr_error error = {};
    fr_status status = fr_model_read(file.path(), &model, &error);
    must_be_told(status, error);
    must((status == FR_OK) == (model != nullptr), "a model without success, or the other way round");
    for (int64_t j = 0; model && j < fr_model_features(model); j++)
        must(std::isfinite(fr_model_weights(model)[j]), "a weight that is not finite was accepted");
    must(!model || std::isfinite(fr_model_intercept(model)), "an intercept that is not finite was accepted");
    const char *const *names = model ? fr_model_names(model) : nullptr;
    for (int64_t j = 0; names && j < fr_model_features(model); j++) must(names[j] != nullptr, "a name is missing");
    fr_model_free(model);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    try_model(std::string(reinterpret_cast<const char *>(bytes), size));
    if (size >= 24) try_model(sealed(bytes, size));
    return 0;
}
