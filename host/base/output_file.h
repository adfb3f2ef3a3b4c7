/*
 * output_file.h - files that appear whole or not at all.
 *
 * Everything that fitrelu writes (models, checkpoints, histories, predictions, data sets) goes through here:
 *
 *     fr_output *out = NULL;
 *     fr_status status = fr_output_open(path, &out, error);
 *     if (status != FR_OK) return status;
 *     fr_output_printf(out, "format: %d\n", 1);
 *     fr_output_write(out, values, bytes);
 *     return fr_output_commit(out, error);
 *
 * The first failed write is remembered and reported by fr_output_commit, so that the calls between need no checks;
 * a long writer may look at their results and stop early. Numbers with a fraction are formatted by the caller with
 * fr_format_double, since printf would follow the locale.
 *
 * Where the target is a regular file or does not exist, the bytes go to a temporary file beside it, without a name where
 * the file system allows it, which takes the target's name in fr_output_commit and is gone after fr_output_discard. What
 * a killed process left of this target, fr_output_open removes. A new file has the mode of the umask, one that takes the
 * place of another that one's; until then nobody else reads it. A device or a pipe (/dev/stdout, /dev/full) and
 * the file that standard output or standard error already goes to are written directly.
 */
#ifndef FR_OUTPUT_FILE_H
#define FR_OUTPUT_FILE_H

#include "base/status.h"

typedef struct fr_output fr_output;

/* True for a pipe that has a name of its own (mkfifo), which waits for a reader; not for /dev/stdout and the like. */
bool fr_output_is_named_pipe(const char *path);

/* Begins to write path. Fails with FR_ERROR at once where it cannot be written: no folder, no permission, a folder,
 * a pipe that nobody reads.
 */
fr_status fr_output_open(const char *path, fr_output **output, fr_error *error);

/* Append bytes, or a formatted text. False once anything has failed; the reason comes from fr_output_commit. */
bool fr_output_write(fr_output *output, const void *data, size_t size);
bool fr_output_printf(fr_output *output, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hands what is buffered to the system, for a reader of a pipe or terminal that should see it now. */
bool fr_output_flush(fr_output *output);

/* Moves to an offset from the start, for formats that fill in sizes afterwards; fails on a pipe. */
bool fr_output_seek(fr_output *output, int64_t offset);
/* Where the next byte goes, from the start. */
int64_t fr_output_tell(const fr_output *output);

/* Brings every byte to the disk, so that only the renaming is left. */
fr_status fr_output_finish(fr_output *output, fr_error *error);

/* Finishes and gives the file its name. Frees output in either case; on failure nothing new is left behind. */
fr_status fr_output_commit(fr_output *output, fr_error *error);

/* The same for files that belong together: all get their names, or every target is what it was. (A process killed
 * between two renamings leaves some of each.) Frees all of them and sets them to NULL. */
fr_status fr_output_commit_all(fr_output **outputs, int count, fr_error *error);

/* Gives up: removes the temporary file and frees output. NULL is fine. */
void fr_output_discard(fr_output *output);

#endif
