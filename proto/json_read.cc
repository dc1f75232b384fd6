// No exception is thrown here, and no memory taken but the caller's.
#include "proto/json_read.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

namespace
{

struct Listener {
    const fan_json_events *events;
    void *context;
};

// What RapidJSON wants of an allocator.
class Room
{
  public:
    static const bool kNeedFree = false;

    Room() = default; // RapidJSON would make one of its own if it had none
    explicit Room(const Listener &listener) : listener_(listener) {}
    void *Malloc(size_t size)
    {
        return Realloc(nullptr, 0, size);
    }
    void *Realloc(void *at, size_t size, size_t wanted)
    {
        return wanted > size ? listener_.events->grow(listener_.context, at, size, wanted) : at;
    }
    static void Free(void *) {}

  private:
    Listener listener_ = {};
};

class Handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler>
{
  public:
    explicit Handler(const Listener &listener) : events_(listener.events), to_(listener.context) {}
    bool Null()
    {
        return events_->word(to_, FAN_JSON_WORD_NULL);
    }
    bool Bool(bool truth)
    {
        return events_->word(to_, truth ? FAN_JSON_WORD_TRUE : FAN_JSON_WORD_FALSE);
    }
    bool RawNumber(const char *at, rapidjson::SizeType len, bool)
    {
        return events_->number(to_, at, len);
    }
    bool String(const char *at, rapidjson::SizeType len, bool)
    {
        return events_->text(to_, at, len);
    }
    bool Key(const char *at, rapidjson::SizeType len, bool)
    {
        return events_->key(to_, at, len);
    }
    bool StartObject()
    {
        return events_->open(to_);
    }
    bool StartArray()
    {
        return events_->open(to_);
    }
    bool EndObject(rapidjson::SizeType count)
    {
        return events_->close_object(to_, count);
    }
    bool EndArray(rapidjson::SizeType count)
    {
        return events_->close_array(to_, count);
    }

  private:
    const fan_json_events *events_;
    void *to_;
};

} // namespace

const char *fan_json_read(const char *text, size_t len, const fan_json_events *events,
        void *context, size_t *offset)
{
    // Iterative: the text's depth must not become the stack's.
    const unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
    Listener listener = { events, context };
    Room room(listener);
    Handler handler(listener);
    rapidjson::MemoryStream stream(text, len);
    rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, Room> reader(&room);
    rapidjson::ParseResult result = reader.Parse<flags>(stream, handler);

    *offset = result.Offset();
    if (!result.IsError())
        return nullptr;
    if (result.Code() == rapidjson::kParseErrorTermination)
        return "";
    return rapidjson::GetParseError_En(result.Code());
}
