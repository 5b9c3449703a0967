/* html_page: what stands before and behind the data in a run's page; made from page/run.html. */
#ifndef APISIM_SIM_HTML_PAGE_H
#define APISIM_SIM_HTML_PAGE_H

extern const char html_head[];
extern const char html_tail[];

#endif
