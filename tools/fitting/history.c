/*
 * history.c - rows of iteration,seconds,loss,relative_error,bytes_sent; a field that is unknown is empty.
 */
#include <inttypes.h>
#include <math.h>

#include "fitting/history.h"
#include "base/parse_number.h"

fr_status history_open(const char *path, fr_output **history, fr_error *error) {
    fr_status status = fr_output_open(path, history, error);
    if (status == FR_OK) fr_output_printf(*history, "iteration,seconds,loss,relative_error,bytes_sent\n");
    return status;
}

static const char *field(double value, char text[FR_NUMBER_SIZE]) {
    text[0] = '\0';
    if (!isnan(value)) fr_format_double(text, FR_NUMBER_SIZE, value);
    return text;
}

void history_add(fr_output *history, const fr_report *report) {
    char seconds[FR_NUMBER_SIZE], loss[FR_NUMBER_SIZE], error[FR_NUMBER_SIZE], bytes[FR_NUMBER_SIZE];
    if (!history) return;
    fr_output_printf(history, "%" PRId64 ",%s,%s,%s,%s\n", report->iteration, field(report->seconds, seconds),
                     field(report->loss, loss), field(report->relative_error, error),
                     field(report->bytes_sent, bytes));
}
