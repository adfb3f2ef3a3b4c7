/*
 * The readers of data sets (NPY, NPZ, CSV, LIBSVM, gzip and zstd) and of files of labels and weights, for any bytes: they
 * are refused in one line, or the parts that ranks read are the whole.
 *
 * Byte 0 holds the options, byte 1 which file it is: the rows, or labels or weights beside four good rows.
 */
#include "held_file.h"

extern "C" {
#include "data/dataset.h"
}

namespace {

const char four_rows[] = "1,2\n3,4\n5,6\n7,8\n";
enum { PARTS = 3, MOST_VALUES = 1 << 21 }; /* rows larger than this many values are not read again by parts */

fr_dataset *read(const char *path, const fr_read_options &options) {
    fr_dataset *set = nullptr;
    fr_error error = {};
    fr_status status = fr_dataset_read(path, &options, &set, &error);
    must_be_told(status, error);
    must((status == FR_OK) == (set != nullptr), "a set without success, or the other way round");
    return set;
}

void must_be_within(const fr_dataset *part, const fr_dataset *whole) {
    const size_t value = fr_precision_bytes(whole->precision), row = (size_t)whole->features * value;
    const size_t count = (size_t)part->local_rows;
    must(part->samples == whole->samples && part->features == whole->features, "a part of another shape");
    must(std::memcmp(part->rows, (const char *)whole->rows + (size_t)part->first_row * row, count * row) == 0,
         "rows of a part are not those of the whole");
    if (!part->labels || !whole->labels) return;
    must(std::memcmp(part->labels, (const char *)whole->labels + (size_t)part->first_row * value, count * value) == 0,
         "labels of a part are not those of the whole");
}

void must_be_the_whole(const char *path, fr_read_options options) {
    fr_dataset *whole = read(path, options);
    int parts_read = 0;
    if (whole && whole->samples * whole->features > MOST_VALUES) return fr_dataset_free(whole);
    for (int k = 0; k < PARTS; k++) {
        options.all_workers = PARTS, options.first_worker = k, options.worker_count = 1;
        fr_dataset *part = read(path, options);
        parts_read += part != nullptr;
        if (part && whole) must_be_within(part, whole);
        fr_dataset_free(part);
    }
    must((parts_read == PARTS) == (whole != nullptr), "the whole is read and a part is not, or the other way round");
    fr_dataset_free(whole);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size < 2) return 0;
    const HeldFile file(bytes + 2, size - 2), rows(four_rows, sizeof four_rows - 1);
    const int how = bytes[0], which = bytes[1] % 4;
    fr_read_options options = {};
    options.precision = how & 1 ? FR_F32 : FR_F64;
    options.missing = (fr_missing_rule)((how >> 1 & 3) % 3);
    options.header = (fr_header_rule)((how >> 3 & 3) % 3);
    options.without_labels = (how & 32) != 0;
    options.categories = (how & 64) != 0;
    if (how & 128) options.holdout = 0.25, options.holdout_seed = 7;
    if (which == 2) options.labels = file.path(), options.without_labels = false;
    if (which == 3) options.weights = file.path();
    must_be_the_whole(which >= 2 ? rows.path() : file.path(), options);
    return 0;
}
