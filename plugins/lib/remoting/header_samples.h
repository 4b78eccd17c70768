// SPDX-License-Identifier: Apache-2.0
// Headers as real clients send them, for tests.
#ifndef REMOTING_HEADER_SAMPLES_H
#define REMOTING_HEADER_SAMPLES_H

#include <string>
#include <vector>

// RocketMQ's Java clients 4.9.8 and 5.5.0 encode these; the properties hold what their JSON
// libraries escape: separators, quotes, backslashes, control characters.
inline const std::string java_send_v2 =
	R"({"code":310,"extFields":{"a":"PG","b":"TopicTest","c":"TBW102","d":"4","e":"0","f":"0",)"
	R"("g":"1700000000000","h":"0","i":"KEYS\u0001k1\u0002UNIQ_KEY\u00017F0000010001\u0002WAIT)"
	R"(\u0001true\u0002weird\u0001\"q\\/\b\f\n\r\t\u000B\u001f<>&'\u0000\u0003\u000E?x\u0002",)"
	R"("j":"0","k":"false","l":"0","m":"false"},"flag":0,"language":"JAVA","opaque":0,)"
	R"("serializeTypeCurrentRPC":"JSON","version":401})";
inline const std::string java_send =
	R"({"code":10,"extFields":{"queueId":"0","flag":"0","sysFlag":"0","reconsumeTimes":"0",)"
	R"("batch":"false","unitMode":"false","defaultTopic":"TBW102","defaultTopicQueueNums":"4",)"
	R"("producerGroup":"PG","maxReconsumeTimes":"16","topic":"TopicTest",)"
	R"("bornTimestamp":"1700000000000","properties":"a\u0001b\u0002"},"flag":0,)"
	R"("language":"JAVA","opaque":2,"serializeTypeCurrentRPC":"JSON","version":513})";
inline const std::string java_pull =
	R"({"code":11,"extFields":{"queueId":"0","maxMsgBytes":"262144","maxMsgNums":"32",)"
	R"("sysFlag":"3","commitOffset":"0","subscription":"*","requestSource":"-1",)"
	R"("suspendTimeoutMillis":"15000","topic":"TopicTest","queueOffset":"12",)"
	R"("expressionType":"TAG","subVersion":"1700000000000","consumerGroup":"CG"},"flag":0,)"
	R"("language":"JAVA","opaque":3,"serializeTypeCurrentRPC":"JSON","version":513})";
inline const std::string java_error =
	R"({"code":3,"flag":1,"language":"JAVA","opaque":7,"remark":" request type 9 not )"
	R"(supported",)"
	R"("serializeTypeCurrentRPC":"JSON","version":513})";
// Go's client: another order, an empty remark, HTML characters escaped.
inline const std::string go_send_v2 =
	R"({"code":310,"language":"GO","version":317,"opaque":1,"flag":0,"remark":"","extFields":)"
	R"({"a":"PG","b":"T","c":"","d":"4","e":"2","f":"0","g":"1700000000000","h":"0",)"
	R"("i":"UNIQ_KEY\u0001x\u003c\u0026\u0002","j":"0","k":"false","l":"0","m":"false"}})";
// Python's json.dumps: blanks after ':' and ','.
inline const std::string spaced = R"({"code": 105, "language": "PYTHON", "opaque": 5, "flag": 0, )"
				  R"("extFields": {"topic": "T"}})";

inline const std::vector<std::string> sample_headers = {java_send_v2, java_send,  java_pull,
							java_error,   go_send_v2, spaced};

#endif
