/* html_page: the fixed parts of the replay's web page: style, filter and script. */
#ifndef APISIM_REPLAY_HTML_PAGE_H
#define APISIM_REPLAY_HTML_PAGE_H

extern const char html_page_head[];
extern const char html_page_filter[];
extern const char html_page_tail[];

#endif
