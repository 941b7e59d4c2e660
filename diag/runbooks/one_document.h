// All guides and pages as one Markdown document, to be put into a wiki or printed.

#ifndef DIAG_RUNBOOKS_ONE_DOCUMENT_H_
#define DIAG_RUNBOOKS_ONE_DOCUMENT_H_

#include <string>

namespace vgpu::runbooks {

// Links between pages lead to anchors of the document: <a id="VG302"></a>.
std::string OneDocument();

}  // namespace vgpu::runbooks

#endif  // DIAG_RUNBOOKS_ONE_DOCUMENT_H_
