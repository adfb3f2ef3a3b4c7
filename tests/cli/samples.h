/*
 * samples.h - what the tests of the program share: a small problem, a small file, a text by lines.
 */
#ifndef FR_TEST_SAMPLES_H
#define FR_TEST_SAMPLES_H

#include <cmath>

#include "program.h"

/* Takes a fraction of a second. */
inline const std::string SMALL = "fit --samples 400 --features 20 ";

inline std::vector<std::string> lines_of(const std::string &text) {
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size();) {
        size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

/* A CSV of 60 rows of x1, x2, y with y = max(0, 3 x1 - 2 x2). */
inline std::string csv() {
    std::string text = "x1,x2,y\n";
    for (int i = 0; i < 60; i++) {
        double x1 = (i * 37 % 60) / 10.0 - 3, x2 = (i * i * 7 % 61) / 10.0 - 3;
        text += std::to_string(x1) + "," + std::to_string(x2) + ",";
        text += std::to_string(std::fmax(0, 3 * x1 - 2 * x2)) + "\n";
    }
    return text;
}

#endif
