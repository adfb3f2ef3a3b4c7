/*
 * fingerprint.h - what tells data apart: the ranks of a run, and a run from the one whose checkpoint it resumes.
 *
 * Ranks compare the content of files, decompressed: whole up to FR_WHOLE_FILE_BYTES. Of larger ones each rank hashes
 * the rows that it keeps and those that the next rank keeps, as it finds them itself; so every row is seen twice, and
 * no rank parses more than twice its share. A checkpoint knows data by their rows, labels and weights alone, those left out for
 * want of a value not among them: the same values in a file of another kind are the same data.
 */
#ifndef FR_FINGERPRINT_H
#define FR_FINGERPRINT_H

#include "base/text_file.h"
#include "data/dataset.h"

enum { FR_WHOLE_FILE_BYTES = 256000000 };

/* Of the content of a file: of all its bytes, or where it is not whole of the first 64 KiB. */
typedef struct fr_file_print {
    uint64_t sum;
    bool whole;
} fr_file_print;
fr_status fr_file_fingerprint(const fr_text *file, fr_file_print *print, fr_error *error);

/* Of the rows held, with their labels, weights and places in the whole: a sum over rows, so that the sums of parts add
 * up to that of the whole, however it is cut. The set has labels, and its rows are still as they were given. */
fr_row_print fr_dataset_row_print(const fr_dataset *set);

/* Of a whole read set, whose rows on all ranks have this sum: its shape, its rows, its w* where it has one. */
uint64_t fr_dataset_content(const fr_dataset *set, uint64_t row_sum);

#endif
