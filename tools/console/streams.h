/*
 * streams.h - standard input, output and error of the program: taken before anything else is opened, and closed with
 * care, since a result that did not reach its reader is a failure.
 */
#ifndef FITRELU_STREAMS_H
#define FITRELU_STREAMS_H

/* First of all: a stream that the program was started without gets something in its place that can be neither read nor
 * written as the stream would be, so that no file opened later takes its number and is printed into. */
void streams_take(void);

/* Hands to the system what was printed on stdout. Where anything was lost (a full disk), says so, once, and returns
 * EXIT_OUTPUT instead of code; where its reader went away, returns 141 in silence, as if SIGPIPE had ended the program. */
int streams_flush(int code);
/* The same, and closes stdout: on NFS or under a quota that is where a loss shows. */
int streams_close(int code);

#endif
