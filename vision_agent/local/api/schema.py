"""The fields of a Live API client's messages: all of ``BidiGenerateContent``.

Written down from the public types, not imported: the server must not need any one client library.
A test compares it with google-genai's types, so that a field which is new there is missed here.

A message's name is followed by its fields, each ``name:type``. A type is ``string``, ``bool``,
``int``, ``number``, ``bytes`` (base64), ``object`` (any JSON object), ``any``, a message or an
enum; ``[type]`` repeats it and ``{type}`` maps strings to it. ``@vertex`` and ``@studio`` mark what
only one of the two services knows, ``@alpha`` what AI Studio knows in its version v1alpha only.
"""

from __future__ import annotations

from dataclasses import dataclass

_MESSAGES = """
BidiGenerateContentClientMessage
    setup:BidiGenerateContentSetup client_content:BidiGenerateContentClientContent
    realtime_input:BidiGenerateContentRealtimeInput
    tool_response:BidiGenerateContentToolResponse
    context_update:BidiGenerateContentContextUpdate
BidiGenerateContentSetup
    model:string generation_config:GenerationConfig system_instruction:Content tools:[Tool]
    session_resumption:SessionResumptionConfig
    context_window_compression:ContextWindowCompressionConfig
    input_audio_transcription:AudioTranscriptionConfig
    output_audio_transcription:AudioTranscriptionConfig proactivity:ProactivityConfig@alpha
    explicit_vad_signal:bool@vertex history_config:HistoryConfig avatar_config:AvatarConfig
    safety_settings:[SafetySetting] labels:{string}@studio
    realtime_input_config:RealtimeInputConfig
BidiGenerateContentClientContent
    turns:[Content] turn_complete:bool
BidiGenerateContentRealtimeInput
    media_chunks:[Blob] audio:Blob audio_stream_end:bool video:Blob text:string
    activity_start:object activity_end:object
BidiGenerateContentToolResponse
    function_responses:[FunctionResponse]
BidiGenerateContentContextUpdate
    system_instruction:Content tools:ContextUpdateTools
GenerationConfig
    model_selection_config:ModelSelectionConfig response_json_schema:any audio_timestamp:bool
    candidate_count:int enable_affective_dialog:bool frequency_penalty:number logprobs:int
    max_output_tokens:int media_resolution:MediaResolution presence_penalty:number
    response_logprobs:bool response_mime_type:string response_modalities:[Modality]
    response_schema:Schema routing_config:RoutingConfig seed:int speech_config:SpeechConfig
    stop_sequences:[string] temperature:number thinking_config:ThinkingConfig top_k:number
    top_p:number enable_enhanced_civic_answers:bool@studio response_format:[ResponseFormat]
    translation_config:TranslationConfig audio_transcription_config:AudioTranscriptionConfig
Content
    parts:[Part] role:string
Tool
    retrieval:object@vertex computer_use:object file_search:object@studio google_search:object
    google_maps:object code_execution:object enterprise_web_search:object@vertex
    function_declarations:[FunctionDeclaration] google_search_retrieval:object
    parallel_ai_search:object@vertex url_context:object mcp_servers:[object]
    exa_ai_search:object@vertex
SessionResumptionConfig
    handle:string transparent:bool@vertex
ContextWindowCompressionConfig
    trigger_tokens:int sliding_window:SlidingWindow
AudioTranscriptionConfig
    language_codes:[string] language_auto:object language_hints:LanguageHints
    custom_vocabulary:[string] adaptation_phrases:[string] word_timestamp:bool diarization:bool
    mode:AudioTranscriptionConfigMode source_text:string
ProactivityConfig
    proactive_audio:bool proactive_video:bool
HistoryConfig
    initial_history_in_client_content:bool
AvatarConfig
    avatar_name:string customized_avatar:CustomizedAvatar audio_bitrate_bps:int
    video_bitrate_bps:int
SafetySetting
    category:HarmCategory method:HarmBlockMethod@vertex threshold:HarmBlockThreshold
RealtimeInputConfig
    automatic_activity_detection:AutomaticActivityDetection activity_handling:ActivityHandling
    turn_coverage:TurnCoverage interim_transcript_timestamp_enabled:bool
Blob
    data:bytes display_name:string mime_type:string
FunctionResponse
    will_continue:bool@studio scheduling:FunctionResponseScheduling parts:[FunctionResponsePart]
    id:string name:string response:object
ContextUpdateTools
    tools:[Tool]
ModelSelectionConfig
    feature_selection_preference:FeatureSelectionPreference
Schema
    additional_properties:any defs:{Schema} ref:string any_of:[Schema] default:any
    description:string enum:[string] example:any format:string items:Schema max_items:int
    max_length:int max_properties:int maximum:number min_items:int min_length:int
    min_properties:int minimum:number nullable:bool pattern:string properties:{Schema}
    property_ordering:[string] required:[string] title:string type:Type
RoutingConfig
    auto_mode:AutoRoutingMode manual_mode:ManualRoutingMode
SpeechConfig
    voice_config:VoiceConfig language_code:string
    multi_speaker_voice_config:MultiSpeakerVoiceConfig
ThinkingConfig
    include_thoughts:bool thinking_budget:int thinking_level:ThinkingLevel
ResponseFormat
    audio:AudioResponseFormat image:ImageResponseFormat text:TextResponseFormat
    video:VideoResponseFormat
TranslationConfig
    echo_target_language:bool target_language_code:string
Part
    media_resolution:object code_execution_result:object executable_code:object
    file_data:FileData function_call:FunctionCall function_response:FunctionResponse
    inline_data:Blob text:string thought:bool thought_signature:bytes video_metadata:object
    tool_call:object@studio tool_response:object@studio part_metadata:object@studio
    audio_transcription:object media_processing:MediaProcessing speech_metadata:object
    document_metadata:object spreadsheet_metadata:object audio_metadata:object
FunctionDeclaration
    description:string name:string parameters:Schema parameters_json_schema:any response:Schema
    response_json_schema:any behavior:Behavior
SlidingWindow
    target_tokens:int
LanguageHints
    language_codes:[string]
CustomizedAvatar
    image_mime_type:string image_data:bytes
AutomaticActivityDetection
    disabled:bool start_of_speech_sensitivity:StartSensitivity
    end_of_speech_sensitivity:EndSensitivity prefix_padding_ms:int silence_duration_ms:int
FunctionResponsePart
    inline_data:FunctionResponseBlob file_data:FunctionResponseFileData
    media_processing:MediaProcessing@studio media_resolution:object video_metadata:object
    document_metadata:object spreadsheet_metadata:object audio_metadata:object
AutoRoutingMode
    model_routing_preference:string
ManualRoutingMode
    model_name:string
VoiceConfig
    replicated_voice_config:ReplicatedVoiceConfig prebuilt_voice_config:PrebuiltVoiceConfig
    voice:string
MultiSpeakerVoiceConfig
    speaker_voice_configs:[SpeakerVoiceConfig]
AudioResponseFormat
    bit_rate:int delivery:Delivery mime_type:string sample_rate:int
ImageResponseFormat
    aspect_ratio:AspectRatio delivery:Delivery image_size:ImageSize mime_type:string
TextResponseFormat
    mime_type:string json_schema:any
VideoResponseFormat
    aspect_ratio:AspectRatio delivery:Delivery duration:string gcs_uri:string resolution:string
FileData
    display_name:string file_uri:string mime_type:string
FunctionCall
    id:string args:object name:string partial_args:[object]@vertex will_continue:bool@vertex
FunctionResponseBlob
    mime_type:string data:bytes display_name:string
FunctionResponseFileData
    file_uri:string mime_type:string display_name:string
ReplicatedVoiceConfig
    mime_type:string voice_sample_audio:bytes consent_audio:bytes@studio
    voice_consent_signature:VoiceConsentSignature@studio
PrebuiltVoiceConfig
    voice_name:string
SpeakerVoiceConfig
    speaker:string voice_config:VoiceConfig
VoiceConsentSignature
    signature:string
"""
_ENUMS = """
ActivityHandling
    ACTIVITY_HANDLING_UNSPECIFIED START_OF_ACTIVITY_INTERRUPTS NO_INTERRUPTION
AspectRatio
    ASPECT_RATIO_UNSPECIFIED ASPECT_RATIO_ONE_BY_ONE ASPECT_RATIO_TWO_BY_THREE
    ASPECT_RATIO_THREE_BY_TWO ASPECT_RATIO_THREE_BY_FOUR ASPECT_RATIO_FOUR_BY_THREE
    ASPECT_RATIO_FOUR_BY_FIVE ASPECT_RATIO_FIVE_BY_FOUR ASPECT_RATIO_NINE_BY_SIXTEEN
    ASPECT_RATIO_SIXTEEN_BY_NINE ASPECT_RATIO_TWENTY_ONE_BY_NINE ASPECT_RATIO_ONE_BY_EIGHT
    ASPECT_RATIO_EIGHT_BY_ONE ASPECT_RATIO_ONE_BY_FOUR ASPECT_RATIO_FOUR_BY_ONE
AudioTranscriptionConfigMode
    MODE_UNSPECIFIED VERBATIM SMART
Behavior
    UNSPECIFIED BLOCKING NON_BLOCKING
Delivery
    DELIVERY_UNSPECIFIED INLINE URI
EndSensitivity
    END_SENSITIVITY_UNSPECIFIED END_SENSITIVITY_HIGH END_SENSITIVITY_LOW
FeatureSelectionPreference
    FEATURE_SELECTION_PREFERENCE_UNSPECIFIED PRIORITIZE_QUALITY BALANCED PRIORITIZE_COST
FunctionResponseScheduling
    SCHEDULING_UNSPECIFIED SILENT WHEN_IDLE INTERRUPT
HarmBlockMethod
    HARM_BLOCK_METHOD_UNSPECIFIED SEVERITY PROBABILITY
HarmBlockThreshold
    HARM_BLOCK_THRESHOLD_UNSPECIFIED BLOCK_LOW_AND_ABOVE BLOCK_MEDIUM_AND_ABOVE BLOCK_ONLY_HIGH
    BLOCK_NONE OFF
HarmCategory
    HARM_CATEGORY_UNSPECIFIED HARM_CATEGORY_HARASSMENT HARM_CATEGORY_HATE_SPEECH
    HARM_CATEGORY_SEXUALLY_EXPLICIT HARM_CATEGORY_DANGEROUS_CONTENT
    HARM_CATEGORY_CIVIC_INTEGRITY HARM_CATEGORY_JAILBREAK HARM_CATEGORY_IMAGE_HATE
    HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT HARM_CATEGORY_IMAGE_HARASSMENT
    HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT
ImageSize
    IMAGE_SIZE_UNSPECIFIED IMAGE_SIZE_FIVE_TWELVE IMAGE_SIZE_ONE_K IMAGE_SIZE_TWO_K
    IMAGE_SIZE_FOUR_K
MediaProcessing
    MEDIA_PROCESSING_UNSPECIFIED STATIC AGENTIC
MediaResolution
    MEDIA_RESOLUTION_UNSPECIFIED MEDIA_RESOLUTION_LOW MEDIA_RESOLUTION_MEDIUM
    MEDIA_RESOLUTION_HIGH
Modality
    MODALITY_UNSPECIFIED TEXT IMAGE AUDIO VIDEO
StartSensitivity
    START_SENSITIVITY_UNSPECIFIED START_SENSITIVITY_HIGH START_SENSITIVITY_LOW
ThinkingLevel
    THINKING_LEVEL_UNSPECIFIED MINIMAL LOW MEDIUM HIGH XHIGH
TurnCoverage
    TURN_COVERAGE_UNSPECIFIED TURN_INCLUDES_ONLY_ACTIVITY TURN_INCLUDES_ALL_INPUT
    TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO
Type
    TYPE_UNSPECIFIED STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL
"""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    Attributes:
        type: What it holds, without what is around it.
        repeated: Whether it is a list of that.
        mapped: Whether it maps strings to that.
        only: "vertex" or "studio" where only one service knows the field, "alpha" where AI Studio
            knows it in v1alpha only, else "".
    """

    type: str
    repeated: bool = False
    mapped: bool = False
    only: str = ""


def _blocks(text: str) -> dict[str, list[str]]:
    blocks: dict[str, list[str]] = {}
    words: list[str] = []
    for line in text.strip().splitlines():
        if line.startswith(" "):
            words += line.split()
        else:
            words = blocks.setdefault(line.strip(), [])
    return blocks


def _field(written: str) -> Field:
    kind, _, only = written.partition("@")
    return Field(kind.strip("[]{}"), kind.startswith("["), kind.startswith("{"), only)


MESSAGES = {
    name: {field: _field(kind) for field, _, kind in (word.partition(":") for word in words)}
    for name, words in _blocks(_MESSAGES).items()
}
"""The fields of every message, by their names in snake_case."""

ENUMS = {name: frozenset(words) for name, words in _blocks(_ENUMS).items()}
"""The values of every enum."""

ROOT = "BidiGenerateContentClientMessage"
"""The message that is everything a client sends."""
