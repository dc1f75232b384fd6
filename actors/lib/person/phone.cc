// Libphonenumber is C++: no exception leaves this file.
#include "actors/lib/person/phone_parse.h"

#include <phonenumbers/phonenumberutil.h>

#include <set>
#include <string>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

static fan_phone_verdict verdict_of_error(PhoneNumberUtil::ErrorType error)
{
    switch (error) {
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
        return FAN_PHONE_NO_COUNTRY;
    case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
    case PhoneNumberUtil::TOO_SHORT_NSN:
        return FAN_PHONE_SHORT;
    case PhoneNumberUtil::TOO_LONG_NSN:
        return FAN_PHONE_LONG;
    default:
        return FAN_PHONE_NO_NUMBER;
    }
}

static fan_phone_verdict verdict_of_length(PhoneNumberUtil::ValidationResult result)
{
    switch (result) {
    case PhoneNumberUtil::IS_POSSIBLE:
        return FAN_PHONE_POSSIBLE;
    case PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY:
        return FAN_PHONE_LOCAL;
    case PhoneNumberUtil::INVALID_COUNTRY_CODE:
        return FAN_PHONE_NO_COUNTRY;
    case PhoneNumberUtil::TOO_SHORT:
        return FAN_PHONE_SHORT;
    case PhoneNumberUtil::TOO_LONG:
        return FAN_PHONE_LONG;
    default:
        return FAN_PHONE_LENGTH;
    }
}

static fan_phone_verdict parse(const std::string &text, const std::string &country,
        std::string *e164)
{
    const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
    PhoneNumber number;
    // "ZZ" is no country: such a number must bring its own code.
    PhoneNumberUtil::ErrorType error = util.Parse(text, country.empty() ? "ZZ" : country, &number);

    if (error != PhoneNumberUtil::NO_PARSING_ERROR)
        return verdict_of_error(error);
    fan_phone_verdict verdict = verdict_of_length(util.IsPossibleNumberWithReason(number));
    if (verdict != FAN_PHONE_POSSIBLE)
        return verdict;
    util.Format(number, PhoneNumberUtil::E164, e164);
    return util.IsValidNumber(number) ? FAN_PHONE_VALID : FAN_PHONE_POSSIBLE;
}

fan_phone_verdict fan_phone_parse(const char *text, size_t len, const char *country, char *e164,
        size_t size)
try {
    std::string number;
    fan_phone_verdict verdict = parse(std::string(text, len), country, &number);

    if (verdict > FAN_PHONE_POSSIBLE)
        return verdict;
    if (number.size() >= size)
        return FAN_PHONE_LONG;
    number.copy(e164, number.size());
    e164[number.size()] = '\0';
    return verdict;
} catch (...) {
    return FAN_PHONE_BROKEN;
}

int fan_phone_format(const char *text, size_t len, int national, char *out, size_t size)
try {
    const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
    PhoneNumber number;
    std::string written;

    if (util.Parse(std::string(text, len), "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR)
        return 0;
    util.Format(number, national ? PhoneNumberUtil::NATIONAL : PhoneNumberUtil::INTERNATIONAL,
            &written);
    if (written.size() >= size)
        return 0;
    written.copy(out, written.size());
    out[written.size()] = '\0';
    return 1;
} catch (...) {
    return 0;
}

int fan_phone_has_country(const char *country)
try {
    std::set<std::string> countries;

    PhoneNumberUtil::GetInstance()->GetSupportedRegions(&countries);
    return countries.count(country) > 0;
} catch (...) {
    return 0;
}
