#include "diag/report/secret_forms.h"

namespace vgpu::report {
namespace {

constexpr SecretForm kTokens[] = {
    {"1Password", R"(ops_eyJ[\w+/=-]{16,})"},
    {"Adafruit", R"(aio_\w{20,})"},
    {"age", R"(AGE-SECRET-KEY-1[0-9A-Z]{20,})"},
    {"Airtable", R"(pat\w{14}\.[0-9a-f]{32,})"},
    {"Anthropic, OpenAI and their like", R"(sk-[\w-]{16,})"},
    {"Atlassian", R"((?:ATATT3|ATCTT3|ATBB)[\w=+/-]{16,})"},
    {"AWS", R"((?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16})"},
    {"Azure AD", R"([\w.~-]{3}[0-9]Q~[\w.~-]{30,})"},
    {"Databricks", R"(dapi[0-9a-f]{32})"},
    {"DigitalOcean", R"(do[opr]_v1_[0-9a-f]{32,})"},
    {"Discord", R"([MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,})"},
    {"Docker Hub", R"(dckr_[op]at_[\w-]{16,})"},
    {"Doppler", R"(dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{20,})"},
    {"Dynatrace", R"(dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{32,})"},
    {"Figma", R"(figd_[\w-]{16,})"},
    {"Fly", R"((?:fm2_|fo1_)[\w+/=-]{20,})"},
    {"GitHub", R"((?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}))"},
    {"GitLab", R"(gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|oas|ffct)-[\w.-]{16,})"},
    {"Google", R"((?:AIza[\w-]{30,}|ya29\.[\w-]{16,}|GOCSPX-[\w-]{16,}))"},
    {"Grafana", R"(gl(?:sa|c)_[\w+/=]{20,})"},
    {"Groq", R"(gsk_\w{20,})"},
    {"HashiCorp", R"((?:hv[sbr]\.[\w-]{20,}|\w{14}\.atlasv1\.[\w-]{20,}))"},
    {"Heroku", R"(HRKU-[\w-]{30,})"},
    {"Hugging Face", R"((?:hf_|api_org_)[A-Za-z0-9]{16,})"},
    // RFC 7519.
    {"JSON Web Token", R"(eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?)"},
    {"LangSmith", R"(lsv2_[ps][tk]_\w{20,})"},
    {"Linear", R"(lin_api_\w{20,})"},
    {"Mailchimp", R"([0-9a-f]{32}-us[0-9]{1,2}\b)"},
    {"Mailgun", R"(key-[0-9a-f]{32})"},
    {"New Relic", R"(NR(?:AK|II|JS|AA|AL)-[\w-]{16,})"},
    {"Notion", R"(ntn_\w{20,})"},
    {"npm", R"(npm_[A-Za-z0-9]{20,})"},
    {"NVIDIA", R"(nvapi-[\w-]{16,})"},
    {"Okta", R"(SSWS 00[\w-]{20,})"},
    {"Perplexity", R"(pplx-\w{20,})"},
    {"PlanetScale", R"(pscale_(?:tkn|oauth|pw)_[\w=.-]{20,})"},
    {"Postman", R"(PMAK-[0-9a-f]{20,}-?[0-9a-f]*)"},
    {"Pulumi", R"(pul-[0-9a-f]{30,})"},
    {"PyPI", R"(pypi-AgE[\w-]{16,})"},
    {"Replicate", R"(r8_\w{20,})"},
    {"RubyGems", R"(rubygems_[0-9a-f]{20,})"},
    {"SendGrid", R"(SG\.[\w-]{16,}\.[\w-]{16,})"},
    {"Sentry", R"(sntry[su]_[\w+/=]{20,})"},
    {"Shopify", R"(shp(?:at|ca|pa|ss)_[0-9a-fA-F]{20,})"},
    {"Slack", R"((?:xox[abeprs]-[\w-]{10,}|xapp-[\w-]{10,}|xoxe\.xox[bp]-[\w-]{10,}))"},
    {"Slack, of a web hook", R"((hooks\.slack\.com/(?:services|workflows)/)[\w/+-]{16,})"},
    {"Discord, of a web hook", R"((discord(?:app)?\.com/api/webhooks/[0-9]+/)[\w-]{16,})"},
    {"Square", R"(sq0(?:atp|csp|idp)-[\w-]{20,})"},
    {"Stripe", R"((?:[sr]k_(?:live|test|prod)_\w{10,}|whsec_[\w+/=]{20,}))"},
    {"Supabase", R"(sbp_[0-9a-f]{32,})"},
    {"Tailscale", R"(tskey-[\w-]{16,})"},
    {"Telegram", R"([0-9]{8,10}:AA[\w-]{32,})"},
    {"Twilio", R"(SK[0-9a-f]{32}\b)"},
    {"Weights & Biases", R"(wandb_v1_\w{20,})"},
    {"xAI", R"(xai-\w{20,})"},
};

// A password on a command line is seen by everybody who may see processes, and is written there
// all the same. `-p` alone says nothing: it is a port, a property and a pid elsewhere.
#define ARGUMENTS R"((?:[ \t\x00]+[^\s\x00;|&]+)*?[ \t\x00]+)"
constexpr SecretForm kCommands[] = {
    // The manuals of mysql(1), sshpass(1), redis-cli(1), curl(1), wget(1), ldapsearch(1),
    // smbclient(1), mosquitto_pub(1), htpasswd(1), openssl-passphrase-options(1), keytool(1).
    {"MySQL, MariaDB",
     R"((\b(?:mysql|mariadb)[a-z-]*)" ARGUMENTS R"((?:-p))[^\s\x00;|&-][^\s\x00;|&]*)"},
    {"sshpass", R"((\bsshpass)" ARGUMENTS R"(-p[ \t\x00]*)[^\s\x00;|&]+)"},
    {"a registry's login", R"((\blogin)" ARGUMENTS R"(-p[ \t\x00=]*)[^\s\x00;|&]+)"},
    {"MongoDB", R"((\bmongo[a-z]*)" ARGUMENTS R"(-p[ \t\x00]*)[^\s\x00;|&]+)"},
    {"cqlsh, influx", R"((\b(?:cqlsh|influx))" ARGUMENTS R"(-p[ \t\x00]*)[^\s\x00;|&]+)"},
    {"redis-cli", R"((\bredis-cli)" ARGUMENTS R"(-a[ \t\x00]*)[^\s\x00;|&]+)"},
    {"curl", R"((\bcurl)" ARGUMENTS
             R"((?:-u|-U|--user|--proxy-user)[ \t\x00=]*["']?[^\s\x00:;|&"']*:)[^\s\x00;|&"']+)"},
    {"LDAP", R"((\bldap[a-z]+)" ARGUMENTS R"(-w[ \t\x00]*)[^\s\x00;|&]+)"},
    {"Samba", R"((\b(?:smbclient|rpcclient|net|smbget))" ARGUMENTS
              R"((?:-U|--user)[ \t\x00=]*[^\s\x00%;|&]+%)[^\s\x00;|&]+)"},
    {"Mosquitto, sqlcmd, ipmitool", R"((\b(?:mosquitto_[a-z]+|sqlcmd|bcp|tsql|ipmitool))" ARGUMENTS
                                    R"(-P[ \t\x00]*)[^\s\x00;|&]+)"},
    {"htpasswd", R"((\bhtpasswd[ \t\x00]+-[A-Za-z]*b[A-Za-z]*)" ARGUMENTS
                 R"([^\s\x00;|&]+[ \t\x00]+)[^\s\x00;|&]+$)"},
    {"OpenSSL", R"((-pass(?:in|out)?[ \t\x00]+["']?pass:)[^\s\x00;|&"']+)"},
    {"keytool", R"((-(?:store|key|srcstore|deststore)pass[ \t\x00]+)[^\s\x00;|&]+)"},
    {"zip", R"((\b(?:un)?zip)" ARGUMENTS R"(-P[ \t\x00]*)[^\s\x00;|&-][^\s\x00;|&]*)"},
    {"7z", R"((\b7z[a-z]*)" ARGUMENTS R"(-p)[^\s\x00;|&-][^\s\x00;|&]*)"},
};
#undef ARGUMENTS

}  // namespace

absl::Span<const SecretForm> TokenForms() { return kTokens; }
absl::Span<const SecretForm> CommandForms() { return kCommands; }

}  // namespace vgpu::report
