/*
 * Reports in tests: a spec to start from, a cursor that asserts, and reports as text, so that two runs can be compared.
 */
#ifndef TEST_ROWS_H
#define TEST_ROWS_H

#include "support/world.h"

crd_report_spec report_spec(uint32_t report, int32_t from, int32_t to, int64_t known_at);

/* An open report and its last row. */
typedef struct cursor {
    world *w;
    crd_report *report;
    const crd_row *row;
} cursor;
cursor cursor_open(world *w, const crd_report_spec *spec);
const crd_row *cursor_next(cursor *c);
/* There is no further row. */
void cursor_end(cursor *c);

#define FIGURES_ARE(row_, ...)                                                                                         \
    do {                                                                                                               \
        const int64_t figures_are[] = {__VA_ARGS__};                                                                   \
        const crd_row *figures_of = (row_);                                                                            \
        ck_assert_ptr_nonnull(figures_of);                                                                             \
        ck_assert_uint_eq(figures_of->figure_count, sizeof figures_are / sizeof figures_are[0]);                       \
        for (size_t figure = 0; figure < sizeof figures_are / sizeof figures_are[0]; figure++)                         \
            ck_assert_msg(figures_of->figures[figure] == figures_are[figure], "figure %zu is %lld, not %lld", figure,  \
                          (long long)figures_of->figures[figure], (long long)figures_are[figure]);                     \
    } while (0)

/* One report as text, to be freed. */
char *report_text(crd_ledger *ledger, const crd_report_spec *spec);
/* Every report there is but the history, over a period and as of its end; some of them by more than one view. To be
 * freed. What two books with the same documents may number differently is left out: sequences, hashes, writers. */
char *all_reports(crd_ledger *ledger, int32_t from, int32_t to, int64_t known_at);
/* The same, until something fails; CRD_OK when nothing did. */
crd_status try_all_reports(crd_ledger *ledger, int32_t from, int32_t to, char **out);
/* Fails where two texts differ, and shows the lines. */
void same_text(const char *a, const char *b, const char *what, int day);

#endif
