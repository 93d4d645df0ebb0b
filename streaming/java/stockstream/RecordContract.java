package stockstream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import com.networknt.schema.regex.RegularExpression;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** A topic's JSON Schema: what a record says, or why it is refused. One thread at a time. */
final class RecordContract {

    /** A record: its fields (missing if it is no JSON object), and why it is refused, or null. */
    record Checked(JsonNode fields, String problem) {}

    private static final ObjectReader JSON =
            JsonMapper.builder()
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
                    .build()
                    .readerFor(JsonNode.class);
    private static final SchemaValidatorsConfig CONFIG =
            SchemaValidatorsConfig.builder()
                    .typeLoose(false)
                    .locale(Locale.ENGLISH)
                    .regularExpressionFactory(RecordContract::regularExpression)
                    .build();
    private static final int SHOWN_CHARACTERS = 80;

    private static final ThreadLocal<Map<String, RecordContract>> OF_THREAD =
            ThreadLocal.withInitial(HashMap::new);

    /** A message's schema, and its integers: unlike JSON Schema, the contracts do not take 1.0 for one. */
    private record Message(JsonSchema schema, List<String> integers) {}

    private final Map<String, Message> messages = new TreeMap<>();
    private byte[] lastValue;
    private Checked last;

    /** This thread's contract of a schema: the functions of a task share it, and so each record's check. */
    static RecordContract of(String schemaJson) {
        return OF_THREAD.get().computeIfAbsent(schemaJson, RecordContract::new);
    }

    /** Reads a schema whose messages are told apart by their `event_type`. */
    private RecordContract(String schemaJson) {
        JsonNode schema = parse(schemaJson);
        JsonSchemaFactory factory = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
        schema.at("/discriminator/mapping")
                .properties()
                .forEach(entry -> messages.put(entry.getKey(), message(factory, schema, entry.getValue())));
    }

    private static Message message(JsonSchemaFactory factory, JsonNode schema, JsonNode reference) {
        ObjectNode message = schema.at(reference.asText().substring(1)).deepCopy();
        message.set("$defs", schema.get("$defs"));
        List<String> integers =
                message.path("properties").properties().stream()
                        .filter(property -> property.getValue().findValuesAsText("type").contains("integer"))
                        .map(Map.Entry::getKey)
                        .toList();
        return new Message(factory.getSchema(message, CONFIG), integers);
    }

    /** In JSON Schema `$` is the very end; in Java it also stands before a final line break. */
    private static RegularExpression regularExpression(String pattern) {
        return Pattern.compile(pattern.replaceFirst("\\$$", "\\\\z")).asPredicate()::test;
    }

    /** Checks a record; asked again about the same array, it answers from memory. */
    Checked check(byte[] value) {
        if (value != lastValue || last == null) {
            last = checked(value);
            lastValue = value;
        }
        return last;
    }

    private Checked checked(byte[] value) {
        if (value == null) {
            return refused("nothing", "a JSON object, not a tombstone, is accepted");
        }
        String text;
        try {
            text = text(value);
        } catch (CharacterCodingException invalid) {
            return refused(new String(value, StandardCharsets.UTF_8), "UTF-8 is accepted");
        }
        try {
            return checked(parse(text), text);
        } catch (IllegalArgumentException invalid) {
            return refused(text, "one JSON object with nothing after it is accepted");
        }
    }

    private Checked checked(JsonNode fields, String text) {
        if (!fields.isObject()) {
            return refused(text, "a JSON object is accepted");
        }
        JsonNode type = fields.path("event_type");
        Message message = type.isTextual() ? messages.get(type.textValue()) : null;
        if (message == null) {
            String accepted = "one of " + String.join(", ", messages.keySet()) + " is accepted";
            return refused(fields, "event_type", shown(type), accepted);
        }
        for (ValidationMessage broken : message.schema.validate(fields)) {
            return refused(fields, broken);
        }
        for (String integer : message.integers) {
            if (fields.path(integer).isNumber() && !fields.path(integer).isIntegralNumber()) {
                return refused(fields, integer, shown(fields.path(integer)), "an integer is accepted");
            }
        }
        return new Checked(fields, null);
    }

    private static Checked refused(JsonNode fields, ValidationMessage broken) {
        boolean inside = broken.getInstanceLocation().getNameCount() > 0;
        String field = inside ? broken.getInstanceLocation().getName(0) : broken.getProperty();
        String rule = broken.getMessage().replaceFirst("^[^:]*: ", "");
        return refused(fields, field, shown(fields.path(field)), rule);
    }

    private static Checked refused(String value, String rule) {
        return refused(MissingNode.getInstance(), "$", value, rule);
    }

    private static Checked refused(JsonNode fields, String field, String value, String rule) {
        String start = value.substring(0, Math.min(value.length(), SHOWN_CHARACTERS));
        String problem = "field '" + field + "' has value " + start + ": " + rule;
        return new Checked(fields, problem);
    }

    private static String shown(JsonNode value) {
        return value.isMissingNode() ? "nothing" : value.toString();
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException invalid) {
            throw new IllegalArgumentException(invalid.getOriginalMessage());
        }
    }

    private static String text(byte[] value) throws CharacterCodingException {
        String text = new String(value, StandardCharsets.UTF_8);
        return text.indexOf('\uFFFD') < 0
                ? text
                : StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
    }
}
