/*
 * history.c - rows of iteration,seconds,loss,relative_error,bytes_sent, and of an ensemble the run; a field that is
 * unknown is empty.
 */
#include <inttypes.h>
#include <math.h>

#include "fitting/history.h"
#include "base/parse_number.h"
#include "base/status.h"

fr_status history_open(const char *path, bool runs, fr_output **history, fr_error *error) {
    FR_TRY(fr_output_open(path, history, error));
    fr_output_printf(*history, "iteration,seconds,loss,relative_error,bytes_sent%s\n", runs ? ",run" : "");
    return FR_OK;
}

static const char *field(double value, char text[FR_NUMBER_SIZE]) {
    text[0] = '\0';
    if (!isnan(value)) fr_format_double(text, FR_NUMBER_SIZE, value);
    return text;
}

void history_add(fr_output *history, bool runs, const fr_report *report) {
    char seconds[FR_NUMBER_SIZE], loss[FR_NUMBER_SIZE], error[FR_NUMBER_SIZE], bytes[FR_NUMBER_SIZE];
    if (!history) return;
    fr_output_printf(history, "%" PRId64 ",%s,%s,%s,%s", report->iteration, field(report->seconds, seconds),
                     field(report->loss, loss), field(report->relative_error, error),
                     field(report->bytes_sent, bytes));
    if (runs) fr_output_printf(history, ",%d", report->run + 1);
    fr_output_printf(history, "\n");
}
