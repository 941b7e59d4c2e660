#include "diag/report/xml.h"

#include "gtest/gtest.h"

namespace vgpu::report {
namespace {

TEST(XmlText, NothingOpensATagOrEndsAnAttribute) {
  EXPECT_EQ(XmlText(R"(<script a="b" c='d'>&amp;</script>)"),
            "&lt;script a=&quot;b&quot; c=&#39;d&#39;&gt;&amp;amp;&lt;/script&gt;");
  EXPECT_EQ(XmlText("]]>"), "]]&gt;");
}

TEST(XmlText, WhatXmlForbidsIsReplaced) {
  EXPECT_EQ(XmlText("a\xef\xbf\xbe"
                    "b\xef\xbf\xbf"),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
  EXPECT_EQ(XmlText("\u00e9\u2714\U0001f600"), "\u00e9\u2714\U0001f600");
}

}  // namespace
}  // namespace vgpu::report
