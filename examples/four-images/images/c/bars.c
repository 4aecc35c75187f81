/* SPDX-License-Identifier: Apache-2.0 */
/* Draws a histogram: bars IN OUT writes a bar of at most 40 marks for each line of "length count". */
#include <stdio.h>

int main(int count, char **words) {
    static int lengths[100], counts[100];
    int lines = 0, most = 1;
    if (count != 3 || !freopen(words[1], "r", stdin) || !freopen(words[2], "w", stdout)) {
        fprintf(stderr, "usage: bars IN OUT, with files that can be opened\n");
        return 1;
    }
    while (lines < 100 && scanf("%d %d", &lengths[lines], &counts[lines]) == 2) {
        if (counts[lines] > most) most = counts[lines];
        lines++;
    }
    for (int line = 0; line < lines; line++) {
        printf("%3d ", lengths[line]);
        for (int mark = 0; mark < counts[line] * 40 / most; mark++) putchar('#');
        putchar('\n');
    }
    return 0;
}
