/* html_page: the fixed parts of a run's page. */
#ifndef APISIM_SIM_HTML_PAGE_H
#define APISIM_SIM_HTML_PAGE_H

extern const char html_head[];
extern const char html_script[];

#endif
